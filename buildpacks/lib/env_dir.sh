# shellcheck shell=bash
# Config vars of the app. They are files in ENV_DIR and reach a tool only when a buildpack exports
# them; those that would bend the build itself are never exported.
#
# A script's own variables and the programs it is made of are not the app's to change: a config var of
# the name of a constant would end the build, one like TAR_OPTIONS would bend it, and one of the name
# of a function's variable would be hidden by it. Such vars are put aside, and reach what runs for the
# app: see tool. Variables of functions are in lower case; only npm and pnpm read such names too.

readonly ENV_BLOCKED='^(PATH|HOME|PWD|OLDPWD|SHELL|IFS|BASH_ENV|ENV|LANG|TMPDIR|STACK|REQUEST_ID|BUILD_DIR|CACHE_DIR|ENV_DIR|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LD_LIBRARY_PATH|LIBRARY_PATH|HAIKUBE_.*|BUILDPACK_.*|SHELLOPTS|BASHOPTS|BASH_.*|PS4)$'
readonly ENV_ASIDE='^(TAR_OPTIONS|GZIP|XZ_(OPT|DEFAULTS)|ZSTD_.*|GREP_OPTIONS|GREP_COLORS?|CDPATH|GLOBIGNORE|POSIXLY_CORRECT|CURL_HOME|UNZIP|ZIPINFO|([Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp]|[Aa][Ll][Ll]|[Nn][Oo])_[Pp][Rr][Oo][Xx][Yy])$'

readonly ENV_TRUST='^(SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|PIP_CERT|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|AWS_CA_BUNDLE)$'

readonly ENV_OF_FUNCTIONS='^[a-z_][a-z0-9_]*$' ENV_OF_NPM='^p?npm_config_'

# What tool adds to the environment of the app's tools, as NAME=VALUE.
HAIKUBE_TOOL_ENV=()

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
  local file name value also=${1:-}
  [[ -n ${ENV_DIR:-} && -d $ENV_DIR ]] || return 0
  for file in "$ENV_DIR"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ $ENV_BLOCKED ]] || continue
    [[ -n $also && $name =~ $also ]] && continue
    IFS= read -r -d '' value <"$file" || true # to its end, which no value has before
    if [[ $name =~ $ENV_TRUST ]]; then
      trust_also "$name" "$value"
    elif is_free "$name"; then
      export "$name=$value"
    else
      HAIKUBE_TOOL_ENV+=("$name=$value")
    fi
  done
}

# env_default NAME=VALUE...: what the tools of a build are told unless the app says otherwise.
env_default() {
  local each
  for each in "$@"; do
    if [[ ! -v ${each%%=*} ]]; then
      export "${each?}"
    fi
  done
}

# is_free NAME: no variable of this script has the name, and bash has none of its own. What came with
# the environment may be changed.
is_free() {
  [[ ! $1 =~ $ENV_ASIDE ]] || return 1
  [[ ! $1 =~ $ENV_OF_FUNCTIONS || $1 =~ $ENV_OF_NPM ]] || return 1
  declare -p -- "$1" >/dev/null 2>&1 || return 0 # -v knows no array that is empty
  [[ -v $1 && (${!1@a} == *x* && ${!1@a} != *r*) ]]
}

# tool COMMAND...: runs a program for the app, with all its config vars.
tool() {
  if ((${#HAIKUBE_TOOL_ENV[@]})) && [[ $(type -t -- "$1") == file ]]; then
    env "${HAIKUBE_TOOL_ENV[@]}" "$@"
  else
    "$@"
  fi
}
