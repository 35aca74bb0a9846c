# shellcheck shell=bash
# Config vars of the app. They are files in ENV_DIR and reach a tool only when a buildpack exports
# them; those that would bend the build itself are never exported.

readonly ENV_BLOCKED='^(PATH|HOME|PWD|OLDPWD|SHELL|IFS|BASH_ENV|ENV|LANG|TMPDIR|STACK|REQUEST_ID|BUILD_DIR|CACHE_DIR|ENV_DIR|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LD_LIBRARY_PATH|LIBRARY_PATH|HAIKUBE_.*|BUILDPACK_.*)$'

# config_var NAME: prints a config var, nothing when the app has none of that name.
config_var() {
  if [[ -n ${ENV_DIR:-} && -f $ENV_DIR/$1 ]]; then
    cat -- "$ENV_DIR/$1"
  fi
}

# has_config_var NAME: tells whether the app sets it, be it empty.
has_config_var() {
  [[ -n ${ENV_DIR:-} && -f $ENV_DIR/$1 ]]
}

# setting NAME [DEFAULT]: the app's config var, else the platform's variable, else the default.
setting() {
  local value
  value=$(config_var "$1")
  printf '%s' "${value:-${!1:-${2:-}}}"
}

# export_env_dir [BLOCKED]: exports all config vars but blocked ones; BLOCKED is a further regex.
export_env_dir() {
  local file name also=${1:-}
  [[ -n ${ENV_DIR:-} && -d $ENV_DIR ]] || return 0
  for file in "$ENV_DIR"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ $ENV_BLOCKED ]] || continue
    [[ -n $also && $name =~ $also ]] && continue
    # The dot keeps trailing newlines, which $(...) would cut.
    local value
    value=$(cat -- "$file" && printf .)
    export "$name=${value%.}"
  done
}
