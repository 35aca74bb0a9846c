# shellcheck shell=bash
# Which Python the app asks for: runtime.txt, .python-version, Pipfile.lock, the version of the last
# build, the default. Prints the version on standard output and says on standard error why.

# wanted_version MANAGER: "3.13" or "3.13.5".
wanted_version() {
  local manager=$1 version locked=
  if [[ $manager == pipenv ]]; then
    locked=$(pipfile_lock_version)
  fi
  if [[ -f $BUILD_DIR/runtime.txt ]]; then
    version=$(runtime_txt)
    topic "Using Python $version specified in runtime.txt" >&2
    warn "runtime.txt is deprecated." \
      "Delete it and write the version, such as $(version_line "$version" 2), to .python-version." >&2
  elif [[ -f $BUILD_DIR/.python-version ]]; then
    version=$(python_version_file)
    topic "Using Python $version specified in .python-version" >&2
  elif [[ -n $locked ]]; then
    version=$locked
    topic "Using Python $version specified in Pipfile.lock" >&2
  else
    version=$(cached_value python-version)
    if [[ -n $version ]]; then
      topic "No Python version was specified. Using the same major version as the last build: Python $version" >&2
    else
      version=$(runtime_default python)
      topic "No Python version was specified. Using the buildpack default: Python $version" >&2
    fi
    detail "To use a different version, write it to a file named .python-version in the root of the app." >&2
  fi
  printf '%s' "$version"
}

runtime_txt() {
  local text
  text=$(sed -E 's/^[[:space:]]+|[[:space:]]+$//g' "$BUILD_DIR/runtime.txt")
  [[ $text =~ ^python-([0-9]+\.[0-9]+(\.[0-9]+)?)$ ]] ||
    fail "runtime.txt says '$text', which is not a Python version." \
      "It must be of the form python-3.13 or python-3.13.5, without spaces."
  printf '%s' "${BASH_REMATCH[1]}"
}

python_version_file() {
  local lines
  lines=$(sed -E 's/(^|[[:space:]])#.*$//; s/^[[:space:]]+|[[:space:]]+$//g; /^$/d' \
    "$BUILD_DIR/.python-version")
  [[ $(wc -l <<<"$lines") == 1 && -n $lines ]] ||
    fail "The file .python-version must hold one version, it holds: ${lines//$'\n'/, }." \
      "Keep a single line, such as $(runtime_default python)."
  [[ $lines =~ ^([0-9]+\.[0-9]+(\.[0-9]+)?)$ ]] ||
    fail "The file .python-version says '$lines', which is not a version that can be installed." \
      "Write a version such as $(runtime_default python) or $(runtime_default python).5."
  printf '%s' "$lines"
}

pipfile_lock_version() {
  jq -r '._meta.requires | .python_full_version // .python_version // empty' \
    "$BUILD_DIR/Pipfile.lock" 2>/dev/null ||
    fail "Pipfile.lock is not valid JSON." "Make it anew: pipenv lock"
}
