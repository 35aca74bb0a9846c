# shellcheck shell=bash
# Puts a relocatable Python below .heroku/python/runtime and a virtual environment around it, made by
# hand: that keeps Debian's own folders for packages out of the way. The environment is used by its
# path in the dyno, /app/.heroku/python.
# shellcheck disable=SC2034  # PYTHON is for the other parts

readonly PYTHON_HOME=.heroku/python
PYTHON=
RUNTIME_SOURCE=
RUNTIME_SUITE=
RUNTIME_KEY=

# identify_runtime VERSION: leaves RUNTIME_SOURCE, the suite that has the line (if one has), and
# RUNTIME_KEY of all that decides what it will be.
identify_runtime() {
  local line
  line=$(version_line "$1" 2)
  RUNTIME_SUITE=$(runtime_suite python "$line")
  RUNTIME_SOURCE=$(python_source "$line")
  RUNTIME_KEY=$(cache_key "$STACK" "$RUNTIME_SOURCE" "$(suite_week "$RUNTIME_SUITE")" "$(file_digest "$RUN_STATUS")" \
    "$(upstream_request "$RUNTIME_SOURCE" "$1")")
}

# install_runtime VERSION: leaves PYTHON, the interpreter by its run-time path.
install_runtime() {
  local wanted=$1 line target=$BUILD_DIR/$PYTHON_HOME
  line=$(version_line "$wanted" 2)
  rm -rf "$target"
  app_link "$PYTHON_HOME"
  if cache_get python-runtime "$RUNTIME_KEY" "$target/runtime"; then
    topic "Using cached install of Python $(<"$target/runtime/version")"
  else
    make_runtime "$RUNTIME_SOURCE" "$wanted" "$target/runtime"
    cache_put python-runtime "$RUNTIME_KEY" "$target/runtime"
  fi
  runtime_warn_ended Python python "$line"
  check_patch_level "$RUNTIME_SOURCE" "$wanted" "$(<"$target/runtime/version")"
  make_environment "$line" "$target"
  cache_value python-version "$line"
}

# python_source LINE: the setting, else packages where a suite of the distribution has the line, else
# upstream.
python_source() {
  local default=upstream
  if [[ -n $(runtime_suite python "$1") ]]; then
    default=deb
  fi
  runtime_source python "$default" deb upstream
}

# Packages of a distribution have one release per line; upstream has them all.
upstream_request() {
  if [[ $1 == deb ]]; then
    version_line "$2" 2
  else
    printf '%s' "$2"
  fi
}

make_runtime() {
  local source=$1 wanted=$2 target=$3
  mkdir -p "$target"
  case $source in
  deb) runtime_from_debs "$(version_line "$wanted" 2)" "$target" ;;
  upstream) runtime_from_upstream "$wanted" "$target" ;;
  *) runtime_from_url "$source" "$target" ;;
  esac
  drop_unneeded "$target"
  compile_standard_library "$target"
}

runtime_from_debs() {
  local line=$1 target=$2
  [[ -n $RUNTIME_SUITE ]] || no_such_python "$line"
  within_suite "$RUNTIME_SUITE" unpack_python "$line" "$target" && return
  [[ -z $(setting BUILDPACK_PYTHON_SOURCE) ]] ||
    fail "Python $line could not be fetched $(runtime_origin "$RUNTIME_SUITE") (see above)." "Try again."
  warn "Python $line could not be fetched $(runtime_origin "$RUNTIME_SUITE"); its upstream is tried."
  rm -rf "${target:?}"
  mkdir -p "$target"
  RUNTIME_SOURCE=upstream
  runtime_from_upstream "$line" "$target"
}

# unpack_python LINE TARGET: from the suite in question.
unpack_python() {
  local line=$1 target=$2 version alone=("libpython$1-dev")
  apt_index || return 1
  version=$(apt_version "python$line")
  [[ -n $version ]] || return 1
  topic "Installing Python $version"
  detail "It comes $(runtime_origin "$RUNTIME_SUITE")"
  # what setuptools had before it brought its own
  version_at_least "$line" 3.12 || alone+=(python3-distutils)
  apt_unpack "$target" "python$line-minimal" "libpython$line-stdlib" "python$line" || return 1
  apt_unpack_alone "$target" "${alone[@]}" || return 1
  suite_attach "$target" "$HOME/$PYTHON_HOME/runtime"
  quietly "$target/usr/bin/python$line" -V || return 1
  printf '%s\n' "$version" >"$target/version"
}

no_such_python() {
  local near
  near=$(runtime_next python "$1")
  fail "Python $1 is not available from the packages of the stack $STACK and its distribution." \
    "Available are: $(runtime_suite_lines python | version_list). Others come from upstream." \
    "Write $near to .python-version, or unset BUILDPACK_PYTHON_SOURCE."
}

runtime_from_upstream() {
  local wanted=$1 target=$2 place=$TMPDIR/python found
  topic "Installing Python $wanted"
  detail "It comes from python-build-standalone, by uv"
  install_uv
  UV_PYTHON_INSTALL_BIN=0 quietly "$UV" python install --no-config --install-dir "$place" "$wanted" ||
    fail "Python $wanted could not be installed (see above)." \
      "Check that there is such a version, and that builds reach the downloads of uv" \
      "(UV_PYTHON_INSTALL_MIRROR names a mirror). Without them there are $(runtime_suite_lines python | version_list):" \
      "write $(runtime_next python "$(version_line "$wanted" 2)") to .python-version."
  found=$(find "$place" -mindepth 1 -maxdepth 1 -type d -name 'cpython-*' | sed -n 1p)
  mv "$found" "$target/usr"
  "$target/usr/bin/python3" -c 'import platform; print(platform.python_version())' >"$target/version"
}

# An archive with bin/python3 in its root or one folder below it.
runtime_from_url() {
  local url=$1 target=$2 archive=$TMPDIR/python-archive root
  topic "Installing Python from BUILDPACK_PYTHON_SOURCE"
  download "$url" "$archive" "$(setting BUILDPACK_PYTHON_SHA256)" ||
    fail "The archive that BUILDPACK_PYTHON_SOURCE names could not be fetched (see above)."
  mkdir -p "$TMPDIR/python"
  tar --extract --auto-compress --file="$archive" --directory="$TMPDIR/python"
  root=$(find "$TMPDIR/python" -maxdepth 3 -path '*/bin/python3' -printf '%h\n' | sed -n 1p)
  [[ -n $root ]] || fail "The archive that BUILDPACK_PYTHON_SOURCE names holds no bin/python3."
  mv "$(dirname "$root")" "$target/usr"
  "$target/usr/bin/python3" -c 'import platform; print(platform.python_version())' >"$target/version"
}

drop_unneeded() {
  local target=$1
  rm -rf "${target:?}"/usr/share "${target:?}"/etc "$target"/usr/lib/valgrind
  find "$target" -name EXTERNALLY-MANAGED -delete
  find "$target/usr/lib" \( -name '*.a' -o -name test -type d -o -name idle_test -type d \) \
    -prune -exec rm -rf {} +
}

# Debian ships no bytecode, and each boot would compile what it imports.
compile_standard_library() {
  local python library jobs=(-j 0)
  python=$(find "$1/usr/bin" -name 'python3.*' ! -name '*-config' | sed -n 1p)
  for library in "$1"/usr/lib/python3.*; do
    if borrow_bytecode "$python" "$library" "/usr/lib/${library##*/}"; then
      jobs=()
    fi
  done
  "$python" -m compileall -q "${jobs[@]}" "$1"/usr/lib/python3.* >/dev/null || true
}

# borrow_bytecode PYTHON LIBRARY OWN: what the build image has of the same library. Bytecode names
# the time of its source, so what is of another release is compiled all the same.
borrow_bytecode() {
  local tag
  [[ -d $3/__pycache__ ]] || return 1
  tag=$("$1" -c 'import sys; print(sys.implementation.cache_tag)') || return 1
  (cd "$2" && find . -name '*.py' -printf '%h/__pycache__/%f\n') | sed "s/\.py$/.$tag.pyc/" |
    (cd "$3" && xargs -d '\n' cp --parents --preserve=mode --target-directory="$2" 2>/dev/null) || true
  [[ -d $2/__pycache__ ]]
}

check_patch_level() {
  if [[ $1 == deb ]]; then
    nearest_version Python "$2" 2 "$3"
  fi
}

# make_environment LINE TARGET: what "python -m venv" would make.
make_environment() {
  local line=$1 target=$2 home=$HOME/$PYTHON_HOME library
  mkdir -p "$target/bin" "$target/lib/python$line/site-packages"
  ln -sfn "../runtime/usr/bin/python$line" "$target/bin/python$line"
  ln -sfn "python$line" "$target/bin/python3"
  ln -sfn "python$line" "$target/bin/python"
  printf '%s\n' "home = $home/runtime/usr/bin" "include-system-site-packages = false" \
    "version = $(<"$target/runtime/version")" "executable = $home/runtime/usr/bin/python$line" \
    >"$target/pyvenv.cfg"
  PYTHON=$home/bin/python
  export VIRTUAL_ENV=$home
  export_path "$home/bin"
  for library in "$target"/runtime/usr/lib/*-linux-gnu/lib*.so*; do
    # one with a loader of its own finds them, and programs of the stack must not
    if [[ -f $library && -z $(suite_loader "$target/runtime") ]]; then
      export_set LD_LIBRARY_PATH "$home/${library#"$target/"}"
      LD_LIBRARY_PATH=$(dirname "$LD_LIBRARY_PATH")
      break
    fi
  done
  export CPATH=$home/runtime/usr/include
}
