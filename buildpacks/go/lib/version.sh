# shellcheck shell=bash
# Which Go an app wants, and which release answers it. Reads go.mod as text: it must be understood
# before there is a Go. It never writes.

# go_directive NAME: the value of a directive of go.mod ("go", "toolchain").
go_directive() {
  [[ -f $BUILD_DIR/go.mod ]] || return 0
  tr -d '\r' <"$BUILD_DIR/go.mod" | sed -nE "s/^$1[[:space:]]+([^[:space:]]+).*/\1/p" | sed -n 1p
}

# heroku_directive NAME: the rest of a comment line "// +heroku NAME …".
heroku_directive() {
  [[ -f $BUILD_DIR/go.mod ]] || return 0
  tr -d '\r' <"$BUILD_DIR/go.mod" |
    sed -nE "s|^//[[:space:]]*\+heroku[[:space:]]+$1[[:space:]]+(.*[^[:space:]])[[:space:]]*$|\1|p" | sed -n 1p
}

# wanted_version: "VERSION<tab>where it is from"; VERSION is 1.25 or 1.25.3 without "go".
wanted_version() {
  local value source
  for source in GOVERSION "// +heroku goVersion" toolchain go; do
    case $source in
    GOVERSION) value=$(setting GOVERSION) ;;
    //*) value=$(heroku_directive goVersion) ;;
    *) value=$(go_directive "$source") ;;
    esac
    value=${value#go}
    if [[ -n $value && $value != default ]]; then
      break
    fi
  done
  printf '%s\t%s\n' "${value:-$(runtime_default go)}" "${value:+$source}"
}

# version_is_exact SOURCE: a go directive is the least version, the others name the release.
version_is_exact() {
  [[ $1 != go && -n $1 ]]
}

# version_valid VERSION: 1.25, 1.25.3 or 1.26rc1.
version_valid() {
  [[ $1 =~ ^[0-9]+\.[0-9]+(\.[0-9]+|(rc|beta)[0-9]+)?$ ]]
}

# version_resolve WANTED SOURCE < RELEASES: the release to use, empty when there is none.
version_resolve() {
  local wanted=$1 releases
  releases=$(cat)
  if grep -qxF -- "$wanted" <<<"$releases" && version_is_exact "$2"; then
    printf '%s\n' "$wanted"
  elif ! version_is_exact "$2" || [[ $wanted =~ ^[0-9]+\.[0-9]+$ ]]; then
    grep -E '^[0-9.]+$' <<<"$releases" | version_newest "$(version_line "$wanted" 2)"
  fi
}

# version_offer WANTED < RELEASES: every release of that line, else the newest of each line.
version_offer() {
  local releases line newest
  releases=$(grep -E '^[0-9.]+$')
  line=$(version_line "$1" 2)
  if newest=$(version_newest "$line" <<<"$releases") && [[ -n $newest ]]; then
    grep -E "^${line//./\\.}(\.|$)" <<<"$releases" | version_list
    return
  fi
  version_line_list <<<"$releases"
}

version_line_list() {
  sort -V | awk -F. '{ newest[$1 "." $2] = $0 } END { for (line in newest) print newest[line] }' |
    sort -V | tail -n 8 | version_list
}
