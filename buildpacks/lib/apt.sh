# shellcheck shell=bash
# Debian packages for any user: apt resolves and downloads against what the run image of the stack
# has, dpkg-deb unpacks. No maintainer script runs: alternatives, generated files and users are the
# caller's task. The index lives in $TMPDIR and is fetched at most once per script.

readonly RUN_STATUS=/haikube/stack/run-dpkg-status
APT_READY=

# apt_here COMMAND...: apt-get or apt-cache with all its state in $TMPDIR.
apt_here() {
  local command=$1 root=$TMPDIR/apt status=/var/lib/dpkg/status
  shift
  if [[ -f $RUN_STATUS ]]; then
    status=$RUN_STATUS
  fi
  "$command" -o Dir::State="$root/state" -o Dir::State::status="$status" -o Dir::Cache="$root/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Install-Recommends=0 \
    -o Acquire::Languages=none -o Acquire::Retries=4 "$@"
}

apt_prepare() {
  [[ -z $APT_READY ]] || return 0
  mkdir -p "$TMPDIR/apt/state/lists/partial" "$TMPDIR/apt/cache/archives/partial"
  quietly apt_here apt-get -qq update ||
    fail "The package index of the stack $STACK could not be fetched (see above)." \
      "Builds need to reach the package mirror that the stack's image names."
  APT_READY=1
}

# apt_version PACKAGE: the upstream version the distribution has, empty when it has none.
apt_version() {
  apt_prepare
  apt_here apt-cache --no-generate show -- "$1" 2>/dev/null |
    sed -nE 's/^Version: ([0-9]+:)?([^-+~]*).*/\2/p' | version_newest "" || true
}

# apt_full_version PACKAGE: the same with Debian's revision: what a cache key should hold.
apt_full_version() {
  apt_prepare
  apt_here apt-cache --no-generate show -- "$1" 2>/dev/null |
    sed -nE 's/^Version: (.*)/\1/p' | sort -V | tail -n 1
}

# apt_unpack TARGET PACKAGE...: the packages, and what they need beyond the run image, into a folder.
apt_unpack() {
  local target=$1
  shift
  apt_prepare
  rm -f "$TMPDIR"/apt/cache/archives/*.deb
  # --reinstall: a package that the build image has is wanted all the same.
  quietly apt_here apt-get -qq --yes --download-only --reinstall --no-remove install "$@" || return 1
  apt_extract "$target"
}

# apt_unpack_alone TARGET PACKAGE...: these packages and nothing that they need; for headers, say,
# whose needs the build image covers.
apt_unpack_alone() {
  local target=$1
  shift
  apt_prepare
  rm -f "$TMPDIR"/apt/cache/archives/*.deb
  (cd "$TMPDIR/apt/cache/archives" && quietly apt_here apt-get -qq download "$@") || return 1
  apt_extract "$target"
}

# apt_extract TARGET: unpacks what was downloaded, without documentation and translations.
apt_extract() {
  local archives=$TMPDIR/apt/cache/archives deb
  mkdir -p "$1"
  for deb in "$archives"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar --extract --directory="$1" --no-same-owner --delay-directory-restore \
        --exclude='./usr/share/doc/*/*' --exclude=./usr/share/man --exclude=./usr/share/locale \
        --exclude=./usr/share/lintian --exclude=./usr/share/bug
  done
  rm -f "$archives"/*.deb
}
