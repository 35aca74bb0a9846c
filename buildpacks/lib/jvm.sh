# shellcheck shell=bash
# The Java that all JVM languages share: a JDK for the build, kept in the cache; jvm_slug.sh makes of
# it what goes into the slug. Loaded by a buildpack after buildpack.sh. It never changes the app's own
# files.

# How a runtime is linked from the JDK: raise it when that changes, and JDKs of before are fetched anew.
readonly JVM_RECIPE=2
readonly JVM_UPSTREAM=https://api.adoptium.net/v3

# shellcheck source-path=SCRIPTDIR source=jvm_slug.sh
source "$HAIKUBE_LIB/jvm_slug.sh"
# shellcheck source-path=SCRIPTDIR source=jvm_env.sh
source "$HAIKUBE_LIB/jvm_env.sh"

# jvm_install [PACKAGE...]: leaves JAVA_HOME (JDK) and PATH set and the runtime in BUILD_DIR/.jdk.
# The packages are unpacked below $TMPDIR/jvm where the JDK is of the stack's own suite, which saves a
# second resolving.
jvm_install() {
  local wanted kind
  wanted=$(jvm_wanted)
  kind=$(setting JDK_URL)
  kind=${kind:-$(jvm_source "$(jvm_major "$wanted")")}
  topic "Java"
  [[ $(cached_value jvm-recipe) == "$JVM_RECIPE" ]] || cache_drop jvm/jdk
  case $kind in
  deb) jvm_fetch_deb "$wanted" "$@" ;;
  upstream) jvm_fetch_upstream "$wanted" ;;
  *) jvm_fetch_archive "$kind" ;;
  esac
  JAVA_HOME=$CACHE_DIR/jvm/jdk
  [[ $kind == deb || $kind == upstream ]] || detail "Using Java $(jvm_feature) of JDK_URL"
  runtime_warn_ended Java java "$(jvm_major "$wanted")"
  export_set JAVA_HOME "$JAVA_HOME"
  export_path "$JAVA_HOME/bin"
  jvm_trust "$JAVA_HOME"
  jvm_put_runtime
  jvm_write_profile
}

# jvm_source LINE: the setting, else packages where a suite of the distribution has the line, else
# upstream.
jvm_source() {
  local default=upstream
  if [[ -n $(runtime_suite java "$1") ]]; then
    default=deb
  fi
  runtime_source java "$default" deb upstream
}

# system_property NAME: a line of the app's system.properties, "name=value", "name: value" or "name value".
system_property() {
  local file=$BUILD_DIR/system.properties
  [[ -f $file ]] || return 0
  tr -d '\r' <"$file" | sed -nE "s/^[[:space:]]*${1//./\\.}([[:space:]]*[=:][[:space:]]*|[[:space:]]+)(.*[^[:space:]])[[:space:]]*$/\2/p" | tail -n 1
}

# jvm_wanted: the version the app asks for: 21, 21.0.6 or 1.8, without the vendor.
jvm_wanted() {
  local value
  value=$(system_property java.runtime.version)
  value=${value#openjdk-}
  value=${value#zulu-}
  value=${value#heroku-}
  printf '%s' "${value:-$(runtime_default java)}"
}

jvm_major() {
  local version=${1#1.}
  printf '%s' "${version%%[!0-9]*}"
}

# jvm_available: the lines the distribution has, one a line.
jvm_available() {
  apt_prepare
  apt_here apt-cache --no-generate pkgnames openjdk- | sed -nE 's/^openjdk-([0-9]+)-jdk-headless$/\1/p' | sort -n
}

# jvm_is_today LINE: the JDK of the cache is of that line and newer ones were looked for today, so
# that a busy day does not fetch the package index for every build.
jvm_is_today() {
  local key=$CACHE_DIR/jvm/jdk.key
  [[ -f $key && $(<"$key") == "deb-$1"[.+u]* && $(cached_value jvm-checked) == "$(date +%F)" ]]
}

# jvm_fetch_deb WANTED [PACKAGE...]: the JDK of the suite that has the line into the cache; that of
# upstream where it cannot be had.
jvm_fetch_deb() {
  local wanted=$1 major suite full
  shift
  major=$(jvm_major "$wanted")
  suite=$(runtime_suite java "$major")
  [[ -n $suite ]] || jvm_refuse_unknown "$wanted" "$major"
  if ! jvm_is_today "$major"; then
    if ! within_suite "$suite" jvm_bring_deb "$major" "$@"; then
      warn "Java $major could not be fetched $(runtime_origin "$suite"); its upstream is tried."
      jvm_fetch_upstream "$wanted"
      return
    fi
    cache_value jvm-checked "$(date +%F)"
  fi
  full=$(<"$CACHE_DIR/jvm/jdk.key")
  full=${full#deb-}
  [[ $wanted == 1.* ]] || nearest_version Java "$wanted" 1 "$(jvm_plain "$full")"
  detail "Using OpenJDK ${full%%[-+~]*} $(runtime_origin "$suite")"
  jvm_say_default
}

# jvm_plain FULL: "8u504-ga-1" is 8.504, "17.0.19+10-1~deb12u2" is 17.0.19.
jvm_plain() {
  local version=${1%%[-+~]*}
  printf '%s' "${version/u/.}"
}

# jvm_bring_deb LINE PACKAGE...: from the suite in question; another than the stack's has the JDK alone.
jvm_bring_deb() {
  local major=$1 package=openjdk-$1-jdk-headless full
  shift
  [[ -z $APT_SUITE ]] || set --
  apt_index || return 1
  full=$(apt_full_version "$package")
  [[ -n $full ]] || return 1
  cache_fits jvm/jdk "deb-$full" || jvm_unpack_deb "$major" "$full" "$package" "$@"
}

jvm_refuse_unknown() {
  fail "Java $1 (system.properties) is not available on the stack $STACK from the source 'deb'." \
    "Available are: $(runtime_suite_lines java | version_list)." \
    "$(jvm_advice "$2" "$(runtime_suite_lines java)")"
}

# jvm_advice LINE AVAILABLE: a newer Java builds for an older one, and runs it.
jvm_advice() {
  local newer
  newer=$(awk -v wanted="$1" '$1 > wanted + 0' <<<"$2" | sed -n 1p)
  if [[ $1 =~ ^[0-9]+$ && -n $newer ]]; then
    printf 'Java %s builds and runs what is written for Java %s: write java.runtime.version=%s there; %s' \
      "$newer" "$1" "$newer" "what the build itself says of $1 may stay. Or set JDK_URL to the URL of a JDK archive."
  else
    printf 'Change java.runtime.version there, or set JDK_URL to the URL of a JDK archive.'
  fi
}

jvm_say_default() {
  local line
  [[ -z $(system_property java.runtime.version) ]] || return 0
  line=$(runtime_default java)
  warn "No Java version is given, Java $line is used." "Write java.runtime.version=$line into system.properties."
}

# jvm_unpack_deb MAJOR FULL PACKAGE...: packages into $TMPDIR/jvm, the JDK out of it to the cache.
jvm_unpack_deb() {
  local major=$1 full=$2 root=$TMPDIR/jvm${APT_SUITE:+-$APT_SUITE} tree
  shift 2
  detail "Fetching OpenJDK $full"
  apt_unpack "$root" "$@" || return 1
  # nothing gives a JVM a C library of its own, so far no line of the distribution wants one
  [[ -z $(suite_loader "$root") ]] || return 1
  tree=$(echo "$root/usr/lib/jvm/java-$major"-openjdk-*)
  jvm_detach "$tree" "$root"
  jvm_keep "$tree" "deb-$full"
}

# jvm_detach TREE ROOT: the distribution keeps configuration in /etc and shared libraries in /usr.
jvm_detach() {
  local tree=$1 root=$2 link target
  rm -rf "$tree"/{docs,man,jre/man,src.zip,lib/src.zip} "$(jvm_store "$tree")"
  rm -f "$tree"/lib/server/classes_*.jsa
  while IFS= read -r -d '' link; do
    target=$(readlink "$link")
    rm "$link"
    [[ ! -e $root$target ]] || cp -a "$root$target" "$link"
  done < <(find "$tree" -type l -lname '/*' -print0)
  # Its libraries look beside themselves first, so no LD_LIBRARY_PATH is needed.
  find "$root/usr/lib" -path '*/jvm' -prune -o -name '*.so*' -exec cp -a {} "$(jvm_libraries "$tree")/" \;
}

# jvm_libraries HOME: where a Java has its shared libraries; Java 8 names the processor.
jvm_libraries() {
  local old
  old=$(find "$1/jre/lib" -mindepth 2 -maxdepth 2 -name libjava.so -printf '%h' 2>/dev/null || true)
  printf '%s' "${old:-$1/lib}"
}

# jvm_store HOME: its trust store; the JDK of Java 8 has it in its jre.
jvm_store() {
  local lib=$1/lib
  [[ ! -d $1/jre/lib ]] || lib=$1/jre/lib
  printf '%s/security/cacerts' "$lib"
}

# jvm_fetch_upstream WANTED: the newest release of the line by Eclipse Temurin, which says its sha256.
jvm_fetch_upstream() {
  local major mirror answer=$TMPDIR/jdk.json link name
  major=$(jvm_major "$1")
  mirror=$(setting BUILDPACK_JAVA_MIRROR "$JVM_UPSTREAM")
  download "${mirror%/}/assets/latest/$major/hotspot?architecture=x64&image_type=jdk&os=linux&vendor=eclipse" "$answer" ||
    jvm_refuse_upstream "$1" "$major" "$mirror"
  link=$(jq -er '.[0].binary.package.link' "$answer") || jvm_refuse_upstream "$1" "$major" "$mirror"
  name=$(jq -r '.[0].release_name' "$answer")
  [[ $1 == 1.* ]] || nearest_version Java "$1" 1 "$(jq -r '.[0].version.openjdk_version' "$answer" | sed 's/[+_].*//')"
  cache_fits jvm/jdk "$name" ||
    jvm_fetch_tree "$link" "$(jq -r '.[0].binary.package.checksum' "$answer")" "$name" "Eclipse Temurin"
  detail "Using $name of Eclipse Temurin"
  jvm_say_default
}

jvm_refuse_upstream() {
  fail "Java $1 (system.properties) is not in the stack's distribution, and could not be found at its" \
    "upstream $3 (see above; BUILDPACK_JAVA_MIRROR names a mirror)." \
    "Available without it are: $(runtime_suite_lines java | version_list)." \
    "$(jvm_advice "$2" "$(runtime_suite_lines java)")"
}

# jvm_fetch_archive URL: any JDK as an archive, for example a vendor's.
jvm_fetch_archive() {
  cache_fits jvm/jdk "$(cache_key "$1")" && return
  jvm_fetch_tree "$1" "$(setting JDK_SHA256)" "$(cache_key "$1")" JDK_URL
}

# jvm_fetch_tree URL SHA256 KEY SOURCE
jvm_fetch_tree() {
  local tree
  detail "Fetching the JDK of $4"
  download "$1" "$TMPDIR/jdk.archive" "$2" || fail "The JDK could not be fetched from $4 (see above)."
  mkdir -p "$TMPDIR/jdk"
  tar --extract --file "$TMPDIR/jdk.archive" --directory "$TMPDIR/jdk" || fail "What $4 names is no tar archive."
  tree=$(find "$TMPDIR/jdk" -path '*/bin/javac' -print -quit)
  [[ -n $tree ]] || fail "The archive of $4 holds no bin/javac, so it is no JDK."
  jvm_keep "${tree%/bin/javac}" "$3"
}

# jvm_keep TREE KEY: moves a JDK to the cache and links the runtime, which needs its jmods once.
jvm_keep() {
  cache_drop jvm/jdk
  mkdir -p "$CACHE_DIR/jvm"
  mv "$1" "$CACHE_DIR/jvm/jdk"
  jvm_link_runtime
  rm -rf "$CACHE_DIR/jvm/jdk/jmods"
  cache_value jvm-recipe "$JVM_RECIPE"
  printf '%s\n' "$2" >"$CACHE_DIR/jvm/jdk.key"
}

# jvm_tool_options ARCHIVE: what makes a short-lived build tool fast; ARCHIVE keeps its class data.
jvm_tool_options() {
  printf -- '-XX:+UseSerialGC -XX:TieredStopAtLevel=1%s' "$(jvm_silence)"
  (($(jvm_feature) < 19)) || printf ' -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile=%s' "$1"
}

# jvm_silence: what keeps a Java from remarks of its own in the log, each word after a space. An older
# one does not start with an option that it does not know.
jvm_silence() {
  local feature
  feature=$(jvm_feature)
  ((feature < 9)) || printf ' -Xlog:disable'
  ((feature < 24)) || printf ' --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow'
}

jvm_feature() {
  local found
  found=$(sed -nE 's/^JAVA_VERSION="(1\.)?([0-9]+).*/\2/p' "$JAVA_HOME/release" 2>/dev/null || true)
  # of all JDKs only the distribution's Java 8 does not say so
  printf '%s' "${found:-8}"
}
