# shellcheck shell=bash
# Whether a package manager would find nothing to do in an environment that was made from exactly the
# same files: then it is not started. pip, for one, keeps what satisfies a requirement, be there
# something newer or not. What may change behind an unchanged line (a folder, a repository, a URL, an
# option that asks for more) is always left to the manager.

# Settings of pip that tell where packages come from and how it talks: no reason to install again.
readonly PIP_HARMLESS='^PIP_(DISABLE_PIP_VERSION_CHECK|NO_INPUT|INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|CACHE_DIR|NO_CACHE_DIR|PROGRESS_BAR|QUIET|VERBOSE|NO_COLOR|ROOT_USER_ACTION)$'
readonly REQUIREMENT_BY_NAME='^[A-Za-z0-9][A-Za-z0-9._-]*[[:space:]]*(\[[^]]*\])?[[:space:]]*([<>=!~(][^@/:$;]*)?(;[^@/$]*)?([[:space:]]+--hash=.*)?$'
readonly REQUIREMENT_OPTION='^(--hash=|(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host|--no-index|--pre|--prefer-binary|--only-binary|--no-binary|--require-hashes)([[:space:]=]|$))'
readonly REQUIREMENT_INCLUDE='^(-r|-c|--requirement|--constraint)[[:space:]=]*([A-Za-z0-9_][A-Za-z0-9._/-]*\.(txt|in))$'
readonly REQUIREMENT_ARCHIVE='^[^<>=!~;[:space:]]*\.(zip|whl|tar|tgz|tbz|tlz|txz|gz|bz2|xz|lzma)([[:space:]]|$)'

# nothing_to_do MANAGER
nothing_to_do() {
  case $1 in
  pip) [[ -f $BUILD_DIR/requirements.txt ]] && pip_settings_are_harmless && requirements_are_plain requirements.txt ;;
  pipenv) pip_settings_are_harmless && pipfile_lock_is_plain ;;
  poetry) poetry_lock_is_plain ;;
  # uv is quick enough to be asked.
  *) return 1 ;;
  esac
}

pip_settings_are_harmless() {
  ! compgen -e PIP_ | grep -vE "$PIP_HARMLESS" >/dev/null
}

# requirements_are_plain FILE: every line names a package of an index, here and in included files.
requirements_are_plain() {
  local line folder
  folder=$(dirname -- "$1")
  while read -r line; do
    if [[ $line =~ $REQUIREMENT_INCLUDE ]]; then
      is_known_input "$folder/${BASH_REMATCH[2]}" &&
        requirements_are_plain "$folder/${BASH_REMATCH[2]}" || return 1
    elif [[ ! $line =~ $REQUIREMENT_OPTION ]]; then
      [[ $line =~ $REQUIREMENT_BY_NAME && ! $line =~ $REQUIREMENT_ARCHIVE ]] || return 1
    fi
  done < <(requirement_lines "$1")
}

# is_known_input FILE: tells whether inputs_digest counts it: three levels deep at most.
is_known_input() {
  local path=${1#./}
  [[ -f $BUILD_DIR/$path && /$path/ != */../* && $path != */*/*/* ]]
}

# requirement_lines FILE: without comments, ends of continued lines and space around.
requirement_lines() {
  sed -E 's/\r$//; s/(^|[[:space:]])#.*$//; s/\\$//; s/^[[:space:]]+//; s/[[:space:]]+$//; /^$/d' \
    "$BUILD_DIR/$1"
}

pipfile_lock_is_plain() {
  jq -e 'all((.default // {})[];
    (keys - ["version", "hashes", "index", "markers", "extras"]) == [])' \
    "$BUILD_DIR/Pipfile.lock" >/dev/null
}

# Without package-mode = false the app itself is installed.
poetry_lock_is_plain() {
  grep -qE '^package-mode *= *false' "$BUILD_DIR/pyproject.toml" &&
    ! grep -qE '^type = "(git|directory|file|url)"' "$BUILD_DIR/poetry.lock"
}
