# shellcheck shell=bash
# Other suites of the stack's distribution, by the same apt as its own: runtimes that the stack has
# no line of. What is unpacked runs beside the stack's: it brings the libraries that the run image
# lacks, or has in an older version, down to a C library of its own.

# Packages that only maintainer scripts and people want: nothing unpacked here asks for them.
readonly SUITE_NEEDLESS=(adduser ca-certificates-java debconf fontconfig-config fonts-dejavu-core
  fonts-dejavu-mono java-common libc-bin libc-gconv-modules-extra libc-l10n locales mailcap
  mime-support netbase openssl perl perl-base psmisc sensible-utils ucf x11-common)

# within_suite SUITE COMMAND...: runs a function whose apt_… are of that suite; the stack's own if
# it is that.
within_suite() {
  local APT_SUITE=$1
  shift
  [[ $APT_SUITE != "$(stack_suite)" ]] || APT_SUITE=
  "$@"
}

# stack_suite: the suite that the stack is made of, trixie say.
stack_suite() {
  sed -nE 's/^VERSION_CODENAME=//p' /etc/os-release
}

# suite_week SUITE: part of a cache's key. The stack's own packages change with its images; those of
# another suite are asked for anew each week, so that security releases arrive.
suite_week() {
  printf '%s' "$1"
  [[ -z $1 || $1 == "$(stack_suite)" ]] || date +-%G-%V
}

# suite_describe ROOT: writes what apt is told of the suite.
suite_describe() {
  suite_sources "$(stack_suite)" "$APT_SUITE" >"$1/sources.list"
  suite_status <"$(run_status)" >"$1/status"
  # Whatever the stack has newer than the suite may be replaced where its packages insist.
  printf '%s\n' 'Package: *' 'Pin: release n=*' 'Pin-Priority: 1001' >"$1/preferences"
}

# suite_options ROOT: one word a line. The index of a suite that has gone to the archive is past the
# time that it says; its signature is checked as ever.
suite_options() {
  printf -- '-o\n%s\n' "Dir::Etc::sourcelist=$1/sources.list" Dir::Etc::sourceparts=/dev/null \
    "Dir::Etc::preferences=$1/preferences" Dir::Etc::preferencesparts=/dev/null \
    "Dir::State::status=$1/status" APT::Get::allow-downgrades=1 Acquire::Check-Valid-Until=0
}

# suite_sources OWN OTHER: the sources of the stack's image with another suite, and its security
# updates if it gets any. BUILDPACK_SUITES_MIRROR names another place, such as an archive.
suite_sources() {
  local own=$1 other=$2 mirror uri suite
  mirror=$(setting BUILDPACK_SUITES_MIRROR)
  suite_lines /etc/apt | while read -r uri suite; do
    case $suite in
    "$own") suite_line "${mirror:-$uri}" "$other" ;;
    "$own-security") [[ $other == sid ]] || suite_line "$uri" "$other-security" ;;
    esac
  done
}

suite_line() {
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$1" "$2"
}

# suite_lines FOLDER: "URI SUITE" of each source of the image, in either of apt's formats.
suite_lines() {
  local folder=$1
  cat "$folder/sources.list" "$folder"/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+([^[:space:]]+).*/\2 \3/p' || true
  cat "$folder"/sources.list.d/*.sources 2>/dev/null |
    awk '/^URIs:/ { uri = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) print uri, $i }' || true
}

# suite_status < STATUS: what is installed, without what it wants or refuses: nothing is installed
# over it, so there are no conflicts. What is needless is there already, in a version that suits all.
suite_status() {
  local name
  awk -v needless=" ${SUITE_NEEDLESS[*]} " '
    /^Package: / { skip = index(needless, " " $2 " ") }
    /^[^ ]/ { field = $1 }
    skip || field ~ /^(Depends|Pre-Depends|Breaks|Conflicts|Recommends|Suggests|Replaces|Enhances):$/ { next }
    /^(Essential|Important|Protected): / { next }
    { print }'
  for name in "${SUITE_NEEDLESS[@]}"; do
    printf 'Package: %s\nStatus: install ok installed\nArchitecture: all\nVersion: 999\nMaintainer: -\nDescription: -\n\n' "$name"
  done
}

# suite_ready ARCHIVES TARGET: what is done before the archives are unpacked. Older suites have
# libraries in /lib, which is /usr/lib.
suite_ready() {
  suite_choose "$1"
  mkdir -p "$2/usr/lib"
  [[ -e $2/lib ]] || ln -s usr/lib "$2/lib"
}

# suite_choose ARCHIVES: forgets packages that the run image has as new: an older library before it
# would be found by programs of the stack too.
suite_choose() {
  local deb name version installed
  for deb in "$1"/*.deb; do
    name=$(dpkg-deb --field "$deb" Package)
    version=$(dpkg-deb --field "$deb" Version)
    installed=$(suite_installed "$name")
    if [[ -n $installed ]] && dpkg --compare-versions "$installed" ge "$version"; then
      rm -f "$deb"
    fi
  done
}

# suite_installed PACKAGE: its version in the run image.
suite_installed() {
  awk -v name="$1" '/^Package: / { found = $2 == name } found && /^Version: / { print $2; exit }' "$(run_status)"
}

# suite_loader ROOT: the loader of programs that was unpacked there, empty when the stack's will do.
suite_loader() {
  find "$1/usr/lib64" "$1/usr/lib" -maxdepth 1 -name 'ld-linux*.so.*' -print -quit 2>/dev/null || true
}

# suite_attach ROOT HOME: makes the programs in ROOT start with the C library there, and look for
# libraries beside it. They alone do: programs of the stack that they start keep the stack's. HOME is
# the path of ROOT in the dyno.
suite_attach() {
  local root=$1 home=$2 loader program
  loader=$(suite_loader "$root")
  [[ -n $loader ]] || return 0
  while IFS= read -r -d '' program; do
    if patchelf --print-interpreter "$program" >/dev/null 2>&1; then
      # in this order and one by one: together they spoil a program that is not relocatable
      quietly patchelf --force-rpath --set-rpath "$home/usr/lib/$(gcc -print-multiarch)" "$program"
      quietly patchelf --set-interpreter "$home${loader#"$root"}" "$program"
    fi
  done < <(find "$root/usr/bin" -type f -print0)
}
