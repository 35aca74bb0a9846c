# shellcheck shell=bash
# Installs the app's packages with the manager whose lock file it has. The environment is cached as
# one tree, whose key is everything that could change it.

readonly LOCK_FILES=(requirements.txt Pipfile.lock poetry.lock uv.lock)
PACKAGES_KEY=
PACKAGES_PREFETCH=

# package_manager: pip, pipenv, poetry or uv; exactly one lock file must be there. Without one, an app
# that is a package of the old kind is installed by pip, with what it asks for.
package_manager() {
  local file found=()
  for file in "${LOCK_FILES[@]}"; do
    if [[ -f $BUILD_DIR/$file ]]; then
      found+=("$file")
    fi
  done
  case ${#found[@]} in
  1) manager_of "${found[0]}" ;;
  0) manager_without_lock ;;
  *) fail "There are several files for different package managers: ${found[*]}." \
    "It is not clear which to use: keep one and delete the others." ;;
  esac
}

# manager_without_lock: pip for a package of the old kind. What somebody wrote by hand else says which file
# is missing, and how it is made.
manager_without_lock() {
  local project=$BUILD_DIR/pyproject.toml
  if [[ -f $BUILD_DIR/Pipfile ]]; then
    fail_unlocked Pipfile Pipfile.lock "pipenv lock"
  elif [[ -f $BUILD_DIR/setup.py ]]; then
    printf pip
    return
  elif grep -qsE '^\[tool\.poetry(\.|\])' "$project"; then
    fail_unlocked pyproject.toml poetry.lock "poetry lock"
  elif [[ -f $BUILD_DIR/pdm.lock || -f $BUILD_DIR/pylock.toml ]] || grep -qsE '^\[tool\.pdm' "$project"; then
    fail "The app is one of PDM, or of another tool that is not known here." \
      "Known are pip, uv, Poetry and Pipenv. For pip: pdm export -o requirements.txt --prod"
  elif grep -qs '^\[project\]' "$project"; then
    fail_unlocked pyproject.toml uv.lock "uv lock" \
      "To install it with pip instead: echo . > requirements.txt"
  elif [[ -f $BUILD_DIR/setup.cfg ]]; then
    fail "No file says which Python packages the app needs; setup.cfg alone is not asked." \
      "Let pip install what it says: echo . > requirements.txt"
  elif [[ -f $BUILD_DIR/environment.yml ]]; then
    fail "environment.yml is for conda, which is not known here." \
      "Write what the app needs as for pip: pip list --format=freeze > requirements.txt"
  fi
  fail "No file says which Python packages the app needs." \
    "Add requirements.txt (it may be empty), uv.lock, poetry.lock or Pipfile.lock to its root."
}

# fail_unlocked FILE LOCK COMMAND [LINE]
fail_unlocked() {
  fail "There is $1, but no $2, which says the versions to install." \
    "Make it on your machine ($3) and commit it; .gitignore must not name it." "${@:4}"
}

lock_file_of() {
  case $1 in
  pip) if [[ -f $BUILD_DIR/requirements.txt ]]; then printf requirements.txt; else printf setup.py; fi ;;
  pipenv) printf Pipfile.lock ;;
  poetry) printf poetry.lock ;;
  uv) printf uv.lock ;;
  esac
}

manager_of() {
  case $1 in
  requirements.txt) printf pip ;;
  Pipfile.lock) printf pipenv ;;
  poetry.lock) printf poetry ;;
  uv.lock) printf uv ;;
  esac
}

# prefetch_packages MANAGER: unpacks the environment of the last build if it was made from the same
# files, beside whatever comes before it is needed: creating files is what a rebuild waits for.
prefetch_packages() {
  PACKAGES_KEY=$(cache_key "$STACK" "$1" "$RUNTIME_KEY" "$(inputs_digest)$([[ $1 != poetry ]] || folders_digest)")
  if cache_fits python-runtime "$RUNTIME_KEY" && cache_fits python-packages "$PACKAGES_KEY"; then
    cache_get python-packages "$PACKAGES_KEY" "$TMPDIR/packages" &
    PACKAGES_PREFETCH=$!
  else
    cache_drop python-packages
  fi
}

# install_packages MANAGER
install_packages() {
  if [[ -n $PACKAGES_PREFETCH ]]; then
    topic "Restoring packages from the cache"
    restore_packages "$BUILD_DIR/$PYTHON_HOME"
    if nothing_to_do "$1"; then
      detail "They are what the unchanged $(lock_file_of "$1") asks for"
      return
    fi
  fi
  "install_with_$1"
}

# All files that a manager may read: a requirements file can include any other.
inputs_digest() {
  (
    cd "$BUILD_DIR" || exit
    find . -maxdepth 3 -xtype f \( -name '*.txt' -o -name '*.in' -o -name 'Pipfile*' -o \
      -name 'pyproject.toml' -o -name '*.lock' -o -name 'setup.py' -o -name 'setup.cfg' \) \
      -not -path './.heroku/*' -not -path './node_modules/*' -print0 |
      sort -z | xargs -0r sha256sum | sha256sum
  )
}

# folders_digest: what is in the folders that poetry.lock names. The other managers install them anew;
# Poetry takes what is installed in the same version for what is there now.
folders_digest() {
  local folder
  while read -r folder; do
    (cd "$BUILD_DIR/$folder" 2>/dev/null &&
      find . -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0r sha256sum) || true
  done < <(sed -nE '/^type = "directory"/{n;s/^url = "(.*)"/\1/p}' "$BUILD_DIR/poetry.lock") | sha256sum
}

restore_packages() {
  local entry
  wait "$PACKAGES_PREFETCH"
  for entry in bin lib; do
    rm -rf "${1:?}/$entry"
    mv "$TMPDIR/packages/$entry" "$1/$entry"
  done
}

# finish_packages MANAGER: keeps the tree for the next build and makes its paths those of the dyno.
finish_packages() {
  local target=$BUILD_DIR/$PYTHON_HOME
  cache_put python-packages "$PACKAGES_KEY" "$target" bin lib
  rewrite_editable_paths "$target"
  compile_app
}

# Packages installed in place are found by files that hold BUILD_DIR.
rewrite_editable_paths() {
  find "$1"/lib/python3.*/site-packages -maxdepth 2 -type f \
    \( -name '*.pth' -o -name '__editable__*' -o -name '*.egg-link' -o -name direct_url.json \) \
    -exec grep -qF -- "$BUILD_DIR" {} \; -exec sed -i "s#$BUILD_DIR#$HOME#g" {} \;
}

# Bytecode of the app itself: a dyno would compile it at every boot. That of the packages is there.
compile_app() {
  find "$BUILD_DIR" \( -name .heroku -o -name node_modules -o -name .git \) -prune -o \
    -type f -name '*.py' -print | "$PYTHON" -m compileall -q -i - >/dev/null 2>&1 || true
}

install_with_pip() {
  local file words=(-r requirements.txt)
  file=$(lock_file_of pip)
  [[ $file == requirements.txt ]] || words=(--editable .)
  if [[ ! -x $BUILD_DIR/$PYTHON_HOME/bin/pip ]]; then
    install_pip
  fi
  topic "Installing dependencies using 'pip install ${words[*]}'"
  manager_run "$file" "$PYTHON" -m pip install --no-cache-dir --progress-bar off \
    --no-warn-script-location "${words[@]}" --exists-action=w
}

install_with_uv() {
  local bytecode=(--compile-bytecode)
  # What is restored is compiled.
  [[ -z $PACKAGES_PREFETCH ]] || bytecode=()
  install_uv
  topic "Installing dependencies using 'uv sync --locked --no-default-groups'"
  UV_PROJECT_ENVIRONMENT=$HOME/$PYTHON_HOME UV_PYTHON=$PYTHON UV_PYTHON_DOWNLOADS=never \
    UV_NO_CACHE=1 UV_NO_PROGRESS=1 UV_LINK_MODE=copy UV_NO_MANAGED_PYTHON=1 \
    manager_run uv.lock "$UV" sync --locked --no-default-groups "${bytecode[@]}"
}

install_with_poetry() {
  local place
  place=$(install_tool poetry "$POETRY_VERSION")
  topic "Installing dependencies using 'poetry sync --only main'"
  POETRY_VIRTUALENVS_CREATE=false POETRY_NO_ANSI=1 POETRY_CACHE_DIR=$TMPDIR/poetry \
    POETRY_INSTALLER_MAX_WORKERS=4 \
    manager_run poetry.lock "$place/bin/poetry" sync --only main --no-interaction --compile
}

install_with_pipenv() {
  local place
  place=$(install_tool pipenv "$PIPENV_VERSION")
  if [[ ! -x $BUILD_DIR/$PYTHON_HOME/bin/pip ]]; then
    install_pip
  fi
  topic "Installing dependencies using 'pipenv install --deploy'"
  PIPENV_IGNORE_VIRTUALENVS=0 PIPENV_PYTHON='' PIPENV_VERBOSITY=-1 PIPENV_NOSPIN=1 PIPENV_CACHE_DIR=$TMPDIR/pipenv PIP_NO_CACHE_DIR=1 NO_COLOR=1 \
    manager_run Pipfile.lock "$place/bin/pipenv" install --deploy
}
