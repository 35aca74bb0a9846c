# shellcheck shell=bash
# Brings a Go toolchain into the cache. Upstream delivers every release as a module, checked against
# Go's checksum database by any Go since 1.21: the distribution's Go fetches the one that is wanted
# and is then forgotten. It leaves GOROOT and PATH set.

# toolchain_install: chooses and installs the toolchain.
toolchain_install() {
  local wanted source kind
  IFS=$'\t' read -r wanted source < <(wanted_version)
  version_valid "$wanted" ||
    fail "'$wanted' of $source is not a Go version." "Write it like go1.25 or go1.25.3."
  kind=$(runtime_source go upstream upstream deb)
  case $kind in
  upstream) toolchain_upstream "$wanted" "$source" ;;
  deb) toolchain_deb "$wanted" ;;
  *) toolchain_archive "$kind" ;;
  esac
  export GOTOOLCHAIN=local
  export_set GOROOT "$CACHE_DIR/go/toolchain"
  export_path "$GOROOT/bin"
  detail "Using $(go env GOVERSION)${source:+ (from $source)}"
  [[ -n $source ]] || warn "No Go version is given, Go $wanted is used." "Add a line like 'go $wanted' to go.mod."
}

# toolchain_upstream WANTED SOURCE: as a module, by the toolchain of the last build or Debian's.
toolchain_upstream() {
  local releases version
  toolchain_bootstrap
  if ! releases=$(toolchain_releases) || [[ -z $releases ]]; then
    toolchain_keep_last "$1" && return
    fail "The list of Go releases could not be read from the module proxy." \
      "Builds need the module proxy that GOPROXY names, see the messages above."
  fi
  version=$(version_resolve "$1" "$2" <<<"$releases")
  if [[ -z $version ]]; then
    fail "Go $1 (from ${2:-the default}) is not available." \
      "Available are: $(version_offer "$1" <<<"$releases")." \
      "Change $2, or write only the line like go$(version_line "$1" 2) for its newest release."
  fi
  cache_fits go/toolchain "$version" || toolchain_fetch "$version"
  toolchain_drop_bootstrap
}

# toolchain_keep_last WANTED: the registry is away; the last toolchain will do if it is that line.
toolchain_keep_last() {
  local key=$CACHE_DIR/go/toolchain.key
  [[ -f $key ]] && version_starts_with "$(<"$key")" "$(version_line "$1" 2)" || return 1
  warn "The list of Go releases could not be read; Go $(<"$key") of the last build is used."
}

# toolchain_bootstrap: any Go that can ask the proxy, in BOOTSTRAP.
toolchain_bootstrap() {
  if [[ -x $CACHE_DIR/go/toolchain/bin/go ]]; then
    BOOTSTRAP=$CACHE_DIR/go/toolchain
    return
  fi
  toolchain_unpack_deb
  BOOTSTRAP=$(echo "$TMPDIR"/go-bootstrap/usr/lib/go-[0-9]*)
}

toolchain_unpack_deb() {
  apt_unpack "$TMPDIR/go-bootstrap" golang-go ||
    fail "The distribution's Go (golang-go) could not be fetched (see above)."
}

toolchain_drop_bootstrap() {
  rm -rf "$TMPDIR/go-bootstrap" "$TMPDIR/go-download"
}

bootstrap_go() {
  GOROOT=$BOOTSTRAP GOPATH=$TMPDIR/go-download GOFLAGS=-modcacherw "$BOOTSTRAP/bin/go" "$@"
}

toolchain_releases() {
  (cd "$TMPDIR" && GOWORK=off GOTOOLCHAIN=local bootstrap_go list -m -versions go) | tr ' ' '\n' | grep '^[0-9]'
}

# toolchain_fetch VERSION: downloads it and moves it into the cache.
toolchain_fetch() {
  topic "Installing Go $1"
  (cd "$TMPDIR" && GOWORK=off GOTOOLCHAIN=go$1 quietly bootstrap_go version) ||
    fail "Go $1 could not be fetched from the module proxy (see above)."
  cache_drop go/toolchain
  mkdir -p "$CACHE_DIR/go"
  chmod -R u+w "$TMPDIR/go-download"  # Go makes toolchains read-only, whatever GOFLAGS says
  mv "$TMPDIR"/go-download/pkg/mod/*/toolchain@*-go"$1".* "$CACHE_DIR/go/toolchain"
  toolchain_trim
  printf '%s\n' "$1" >"$CACHE_DIR/go/toolchain.key"
}

# A build never runs the tests of the standard library, and it is what makes the cache large.
toolchain_trim() {
  rm -rf "$CACHE_DIR"/go/toolchain/{api,doc,misc,test}
  find "$CACHE_DIR/go/toolchain/src" \( -name '*_test.go' -o -name testdata -prune \) -exec rm -rf {} +
}

# toolchain_deb WANTED: the distribution's own, whatever the patch level.
toolchain_deb() {
  local found wanted=$1 line
  found=$(apt_version golang-go)
  found=${found#*:}
  line=$(version_line "$wanted" 2)
  version_starts_with "${found%%\~*}" "$line" ||
    fail "Go $wanted is not available from the distribution, which has Go $found." \
      "Available are: $found. Unset BUILDPACK_GO_SOURCE to get any release."
  cache_fits go/toolchain "deb-$found" && return
  topic "Installing Go $found of the distribution"
  toolchain_unpack_deb
  cache_drop go/toolchain
  mkdir -p "$CACHE_DIR/go"
  cp -aL "$TMPDIR"/go-bootstrap/usr/lib/go-[0-9]* "$CACHE_DIR/go/toolchain"
  printf '%s\n' "deb-$found" >"$CACHE_DIR/go/toolchain.key"
  toolchain_drop_bootstrap
}

# toolchain_archive URL: a release archive with a folder "go" in it.
toolchain_archive() {
  cache_fits go/toolchain "$1" && return
  topic "Installing Go from an archive"
  download "$1" "$TMPDIR/go.tar.gz" "$(setting BUILDPACK_GO_SHA256)" ||
    fail "Go could not be fetched from the URL of BUILDPACK_GO_SOURCE (see above)."
  cache_drop go/toolchain
  mkdir -p "$CACHE_DIR/go"
  tar --extract --file "$TMPDIR/go.tar.gz" --directory "$CACHE_DIR/go"
  mv "$CACHE_DIR/go/go" "$CACHE_DIR/go/toolchain"
  printf '%s\n' "$1" >"$CACHE_DIR/go/toolchain.key"
  rm "$TMPDIR/go.tar.gz"
}
