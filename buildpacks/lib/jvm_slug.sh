# shellcheck shell=bash
# The Java of a slug: by default a runtime that is linked from the JDK without its compilers and tools,
# with the trust that the build has. Loaded by jvm.sh.

# Modules that only a developer needs. Everything else stays: what an app loads by reflection is not
# to be guessed from its class files.
readonly JVM_LEFT_OUT='jdk\.(graal\..*|hotspot\.agent|jshell|javadoc|jpackage|jlink|compiler|internal\.(vm\.ci|le|ed|md|opt)|jconsole|editpad|jdeps|jartool|jdi|jstatd|accessibility|unsupported\.desktop|incubator\..*)'

# jvm_link_runtime: of the JDK in the cache; Java 8 comes with one. The class data archive halves
# the time a JVM takes to start.
jvm_link_runtime() {
  local jdk=$CACHE_DIR/jvm/jdk jre=$CACHE_DIR/jvm/jre
  cache_drop jvm/jre
  if [[ -d $jdk/jre ]]; then
    cp -a "$jdk/jre" "$jre"
  elif jvm_jlink "$jdk" "$jre"; then
    jvm_copy_libraries "$jdk" "$jre"
    quietly "$jre/bin/java" -Xshare:dump || rm -f "$jre"/lib/server/*.jsa
  else
    warn "The JDK cannot link a runtime; the whole JDK goes into the slug."
    rm -rf "$jre"
  fi
}

# jvm_jlink JDK JRE: uncompressed modules make the smaller slug, since zstd sees them whole.
jvm_jlink() {
  local jdk=$1 jre=$2 options=(--no-header-files --no-man-pages) strip=--strip-java-debug-attributes
  # before Java 13 the option for both is the one for these alone
  "$jdk/bin/jlink" --list-plugins | grep -F -- "$strip" >/dev/null || strip=--strip-debug
  [[ ! -d $jdk/jmods ]] || options+=(--module-path "$jdk/jmods")
  detail "Linking a runtime without compilers and tools"
  quietly "$jdk/bin/jlink" "${options[@]}" "$strip" \
    --add-modules "$(jvm_modules "$jdk")" --output "$jre"
}

jvm_modules() {
  "$1/bin/java" --list-modules | sed 's/@.*//' | grep -Ev "^($JVM_LEFT_OUT)$" | paste -sd ,
}

# jvm_copy_libraries JDK JRE: jlink takes what modules own, not what the distribution links to.
jvm_copy_libraries() {
  local file
  for file in "$1"/lib/*.so*; do
    case ${file##*/} in
    libfreebl* | libjpeg.* | liblcms2.* | libns* | libpcsc* | libpl[cd]* | libsmime* | libsoftokn* | libssl*)
      cp -a -n "$file" "$2/lib/"
      ;;
    esac
  done
}

# jvm_trust HOME: writes the trust store of a Java from the certificates that this build trusts.
jvm_trust() {
  local bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} store digest
  store=$(jvm_store "$1")
  digest=$(file_digest "$bundle")
  [[ -f $store && -f $store.source && $(<"$store.source") == "$digest" ]] && return
  rm -f "$store"
  # Without a password: that is how Java reads its own store.
  quietly openssl pkcs12 -export -nokeys -in "$bundle" -jdktrust anyExtendedKeyUsage \
    -certpbe NONE -nomac -passout pass: -out "$store" ||
    fail "The certificates in $bundle could not be turned into a trust store for Java."
  chmod 644 "$store"
  printf '%s\n' "$digest" >"$store.source"
}

# jvm_put_runtime: the runtime, or the whole JDK, into the slug, with the app's .jdk-overlay over it.
jvm_put_runtime() {
  local origin=$CACHE_DIR/jvm/jre
  if [[ $(setting JAVA_FULL_JDK) == 1 || ! -d $origin ]]; then
    origin=$CACHE_DIR/jvm/jdk
    detail "The slug gets the whole JDK"
  fi
  jvm_trust "$origin"
  rm -rf "$BUILD_DIR/.jdk"
  cp -al "$origin" "$BUILD_DIR/.jdk"
  if [[ -d $BUILD_DIR/.jdk-overlay ]]; then
    detail "Copying .jdk-overlay over the runtime"
    cp -a --remove-destination "$BUILD_DIR/.jdk-overlay/." "$BUILD_DIR/.jdk/"
  fi
}

jvm_write_profile() {
  profile_memory
  cp -- "$HAIKUBE_LIB/dyno/jvm.sh" "$BUILD_DIR/.profile.d/10-jvm.sh"
  cp -- "$HAIKUBE_LIB/dyno/jdbc.sh" "$BUILD_DIR/.profile.d/11-jdbc.sh"
}
