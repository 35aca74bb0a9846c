# shellcheck shell=bash
# Which packages of the app become programs, and the flags they are built with.

# package_spec: the words for "go install", one a line; empty words stand for all programs.
package_spec() {
  local spec
  spec=$(setting GO_INSTALL_PACKAGE_SPEC)
  spec=${spec:-$(heroku_directive install)}
  if [[ -n $spec ]]; then
    tr -s '[:space:]' '\n' <<<"$spec" | grep .
    return
  fi
  main_packages
}

# main_packages: every program of the module or of the workspace.
main_packages() {
  local pattern
  while read -r pattern; do
    tool go list -find -tags "$GO_TAGS" -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' "$pattern" || return 1
  done < <(module_patterns) | grep . || true
}

# program_names PACKAGES: the program and the package of each, as go install would name it.
program_names() {
  # shellcheck disable=SC2086  # one word for each package
  tool go list -find -tags "$GO_TAGS" -f '{{if eq .Name "main"}}{{.Target}} {{.ImportPath}}{{end}}' $1 |
    sed -nE 's|^.*/([^/ ]+) |\1 |p'
}

module_patterns() {
  if [[ -f go.work ]]; then
    tool go list -m -f '{{.Dir}}/...'
  else
    echo ./...
  fi
}

# linker_flags: sets the variable GO_LINKER_SYMBOL names to the commit or to GO_LINKER_VALUE.
linker_flags() {
  local symbol value
  symbol=$(setting GO_LINKER_SYMBOL)
  value=$(setting GO_LINKER_VALUE "${SOURCE_VERSION:-unknown}")
  if [[ -n $symbol ]]; then
    printf -- '-X %s=%s' "$symbol" "$value"
  fi
}

# use_git_credentials: GO_GIT_CRED__HTTPS__GIT__EXAMPLE__COM=token lets go fetch private modules. They
# stay in a file outside the slug.
use_git_credentials() {
  local file name host
  for file in "${ENV_DIR:-/nonexistent}"/GO_GIT_CRED__*__*; do
    [[ -f $file ]] || continue
    name=${file##*/GO_GIT_CRED__}
    host=${name#*__}
    host=${host//__/.}
    export GIT_CONFIG_GLOBAL=$TMPDIR/go-gitconfig GOPRIVATE="${GOPRIVATE:+$GOPRIVATE,}${host,,}"
    (umask 077 && git config --global \
      "url.${name%%__*}://$(<"$file")@${host,,}/.insteadOf" "https://${host,,}/")
    detail "Using the credentials for ${host,,}"
  done
}

# git_credentials_name HOST: the config var with a token for it.
git_credentials_name() {
  local host=${1%%:*}
  printf 'GO_GIT_CRED__HTTPS__%s' "${host//./__}" | tr '[:lower:]' '[:upper:]'
}
