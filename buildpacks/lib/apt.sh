# shellcheck shell=bash
# Debian packages for any user: apt resolves and downloads against what the run image of the stack
# has, dpkg-deb unpacks. No maintainer script runs: alternatives, generated files and users are the
# caller's task. The index lives in $TMPDIR and is fetched at most once per script.
#
# The same works for other suites of the distribution: see suite.sh, which sets APT_SUITE.

readonly RUN_STATUS=/haikube/stack/run-dpkg-status
APT_SUITE=

# apt_root: where the state of the suite in question lies.
apt_root() {
  printf '%s' "$TMPDIR/apt${APT_SUITE:+-$APT_SUITE}"
}

# run_status: the file that says which packages a dyno finds.
run_status() {
  if [[ -f $RUN_STATUS ]]; then
    printf '%s' "$RUN_STATUS"
  else
    printf '/var/lib/dpkg/status'
  fi
}

# apt_here COMMAND...: apt-get or apt-cache with all its state in $TMPDIR.
apt_here() {
  local command=$1 root options=()
  shift
  root=$(apt_root)
  if [[ -n $APT_SUITE ]]; then
    readarray -t options < <(suite_options "$root")
  else
    options=(-o "Dir::State::status=$(run_status)")
  fi
  "$command" -o Dir::State="$root/state" -o Dir::Cache="$root/cache" "${options[@]}" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Install-Recommends=0 \
    -o Acquire::Languages=none -o Acquire::Retries=4 "$@"
}

apt_prepare() {
  apt_index ||
    fail "The package index of the stack $STACK could not be fetched (see above)." \
      "Builds need to reach the package mirror that the stack's image names."
}

# apt_index: fetches the index, at most once; returns 1 when it cannot be had.
apt_index() {
  local root
  root=$(apt_root)
  [[ ! -f $root/ready ]] || return 0
  mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial"
  [[ -z $APT_SUITE ]] || suite_describe "$root"
  quietly apt_here apt-get -qq update || return 1
  touch "$root/ready"
}

# apt_version PACKAGE: the upstream version the distribution has, empty when it has none.
apt_version() {
  apt_prepare
  apt_here apt-cache --no-generate show -- "$1" 2>/dev/null |
    sed -nE 's/^(Version: ).*\+really/\1/; s/^Version: ([0-9]+:)?([^-+~]*).*/\2/p' | version_newest "" || true
}

# apt_known_version PACKAGE: the same, and empty as well when the index cannot be had.
apt_known_version() {
  apt_index >&2 || return 0
  apt_version "$1"
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
  rm -f "$(apt_root)"/cache/archives/*.deb
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
  rm -f "$(apt_root)"/cache/archives/*.deb
  (cd "$(apt_root)/cache/archives" && quietly apt_here apt-get -qq download "$@") || return 1
  apt_extract "$target"
}

# apt_extract TARGET: unpacks what was downloaded, without documentation and translations.
apt_extract() {
  local archives deb
  archives=$(apt_root)/cache/archives
  mkdir -p "$1"
  [[ -z $APT_SUITE ]] || suite_ready "$archives" "$1"
  for deb in "$archives"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar --extract --directory="$1" --no-same-owner --delay-directory-restore --keep-directory-symlink \
        --exclude='./usr/share/doc/*/*' --exclude=./usr/share/man --exclude=./usr/share/locale \
        --exclude=./usr/share/lintian --exclude=./usr/share/bug
  done
  rm -f "$archives"/*.deb
}
