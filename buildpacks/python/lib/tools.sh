# shellcheck shell=bash
# The package managers themselves. pip comes with the build image and is kept in the slug, as people
# expect; uv, Poetry and Pipenv live in the cache and never reach a dyno.
# shellcheck disable=SC2034  # versions and UV are for the other parts

readonly UV_VERSION=0.13.9 POETRY_VERSION=2.4.1 PIPENV_VERSION=2026.7.1
UV=

# The build image's pip, one wheel that runs as it is.
bundled_pip() {
  local wheel
  wheel=$(find /usr/share/python-wheels -name 'pip-*.whl' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $wheel ]] || fail "The build image of the stack $STACK has no pip (package python3-pip-whl)."
  printf '%s' "$wheel"
}

# own_pip PYTHON ARGUMENTS...: the bundled pip for what the platform itself installs. Of the app's settings
# only those count that say how an index is reached: with PIP_NO_BINARY it would compile uv for minutes.
own_pip() {
  local name bending=(-u PIP_NO_INDEX)
  for name in $(compgen -e PIP_ || true); do
    [[ $name =~ $PIP_HARMLESS ]] || bending+=(-u "$name")
  done
  env "${bending[@]}" "$1" "$(bundled_pip)/pip" "${@:2}"
}

# install_pip: into the app's environment, without any download.
install_pip() {
  local wheel
  wheel=$(bundled_pip)
  own_pip "$PYTHON" --quiet install --no-index --no-deps --no-warn-script-location "$wheel" ||
    fail "pip could not be installed (see above)."
}

# install_tool NAME VERSION: a Python program with an environment of its own; prints its folder.
install_tool() {
  local name=$1 version=$2 place=$TMPDIR/tools/$1 key
  key=$(cache_key "$version" "$("$PYTHON" -V)")
  if ! cache_get "tools/$name" "$key" "$place"; then
    quietly make_tool "$name==$version" "$place" ||
      fail "$name $version could not be installed (see above)." \
        "Builds need to reach the Python package index, or its mirror (PIP_INDEX_URL)." >&2
    cache_put "tools/$name" "$key" "$place"
  fi
  printf '%s' "$place"
}

make_tool() {
  "$PYTHON" -m venv --without-pip "$2"
  own_pip "$PYTHON" --python "$2/bin/python" install --no-warn-script-location "$1"
}

# install_uv: leaves UV, one binary; it needs no Python of ours.
install_uv() {
  local place=$CACHE_DIR/tools/uv
  if ! cache_fits tools/uv "$UV_VERSION"; then
    cache_drop tools/uv
    quietly own_pip python3 install --no-deps --target "$TMPDIR/uv" "uv==$UV_VERSION" ||
      fail "uv $UV_VERSION could not be installed (see above)." \
        "Builds need to reach the Python package index, or its mirror (PIP_INDEX_URL)."
    mkdir -p "$place"
    mv "$TMPDIR/uv/bin/uv" "$place/uv"
    rm -rf "$TMPDIR/uv"
    printf '%s\n' "$UV_VERSION" >"$place.key"
  fi
  UV=$place/uv
}
