# shellcheck shell=bash
# Loads the shared library of the buildpacks. A script of a buildpack begins with
#
#   #!/usr/bin/env bash
#   # shellcheck source-path=SCRIPTDIR
#   source "$(dirname -- "${BASH_SOURCE[0]}")/../../lib/buildpack.sh"
#   buildpack_start "$@"
#
# and finds BUILD_DIR, CACHE_DIR, ENV_DIR, BUILDPACK_DIR and STACK. An error nobody handled ends the
# script with the line it came from. The functions never write outside these folders and $TMPDIR.
set -Eeuo pipefail
shopt -s inherit_errexit

HAIKUBE_LIB=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
readonly HAIKUBE_LIB

# shellcheck source-path=SCRIPTDIR
for HAIKUBE_PART in log folders proxy trust env_dir download version source apt suite runtimes cache profile private; do
  # shellcheck disable=SC1090  # the parts listed above
  source "$HAIKUBE_LIB/$HAIKUBE_PART.sh"
done
unset HAIKUBE_PART

# buildpack_start BUILD_DIR [CACHE_DIR ENV_DIR]: takes the arguments of a buildpack script.
buildpack_start() {
  BUILD_DIR=$1
  CACHE_DIR=${2:-}
  ENV_DIR=${3:-}
  BUILDPACK_DIR=$(dirname -- "$(dirname -- "$(realpath -s -- "${BASH_SOURCE[1]}")")")
  STACK=${STACK:-debian-13}
  TMPDIR=${TMPDIR:-/tmp}
  export BUILD_DIR CACHE_DIR ENV_DIR BUILDPACK_DIR STACK TMPDIR
  [[ -z $CACHE_DIR ]] || require_folders .heroku .profile.d
  trap 'unexpected_error "$?" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND"' ERR
}

# unexpected_error CODE FILE LINE COMMAND: what fail said in a subshell is not said twice.
unexpected_error() {
  trap - ERR
  (($1 != EXPLAINED)) || exit "$EXPLAINED"
  fail "The buildpack stopped at an error it did not expect:" \
    "${2##*/} line $3: $4"
}
