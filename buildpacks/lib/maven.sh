# shellcheck shell=bash
# Maven: the distribution's own, any release from the repository it reads by default, or the app's
# wrapper. Loaded after jvm.sh, whose JDK it runs on. The local repository lives in the cache.

# Words for jvm_install: Maven without the JRE that its package would bring.
readonly MAVEN_PACKAGES=(maven default-jre-headless-)
readonly MAVEN_RECIPE=1
MAVEN=
MAVEN_OPTIONS=()

# maven_install: leaves MAVEN (a command) and MAVEN_OPTIONS set.
maven_install() {
  local version
  version=$(system_property maven.version)
  MAVEN_OPTIONS=(-B -ntp "-Dmaven.repo.local=$(cache_folder m2/repository)")
  MAVEN_USER_HOME=$(cache_folder m2/wrapper)
  MAVEN_OPTS="$(jvm_tool_options "$CACHE_DIR/jvm/maven.jsa")${MAVEN_OPTS:+ $MAVEN_OPTS}${MAVEN_JAVA_OPTS:+ $MAVEN_JAVA_OPTS}"
  export MAVEN_USER_HOME MAVEN_OPTS
  maven_settings
  if [[ -z $version && -f $BUILD_DIR/mvnw && -f $BUILD_DIR/.mvn/wrapper/maven-wrapper.properties ]]; then
    chmod +x "$BUILD_DIR/mvnw"
    maven_trust_wget
    MAVEN=./mvnw
  elif [[ -n $version ]]; then
    maven_distribution "$version"
  else
    maven_of_distribution
  fi
}

# maven_trust_wget: the wrapper prefers wget, which does not look at SSL_CERT_FILE.
maven_trust_wget() {
  [[ -n ${SSL_CERT_FILE:-} && -z ${WGETRC:-} ]] || return 0
  export WGETRC=$TMPDIR/wgetrc
  printf 'ca_certificate = %s\n' "$SSL_CERT_FILE" >"$WGETRC"
}

# maven_of_distribution: Debian's Maven, whose libraries are links all over /usr/share.
maven_of_distribution() {
  local home=$CACHE_DIR/maven/deb root=$TMPDIR/jvm
  MAVEN=$home/bin/mvn
  cache_fits maven/deb "$MAVEN_RECIPE" && return
  [[ -d $root/usr/share/maven ]] || maven_unpack "$root"
  ln -sfn ../../../etc/maven "$root/usr/share/maven/conf"
  ln -sfn ../../../../etc/maven/m2.conf "$root/usr/share/maven/bin/m2.conf"
  find "$root/usr/share" -xtype l -delete
  cache_drop maven/deb
  mkdir -p "$CACHE_DIR/maven"
  cp -rL "$root/usr/share/maven" "$home"
  printf '%s\n' "$MAVEN_RECIPE" >"$home.key"
}

maven_unpack() {
  apt_unpack "$1" "${MAVEN_PACKAGES[@]}" "openjdk-$(jvm_available | tail -n 1)-jre-headless" ||
    fail "Maven could not be fetched from the distribution (see above)."
}

# maven_distribution VERSION: a release, which is an artifact of the repository like any other.
maven_distribution() {
  local version=$1 home=$CACHE_DIR/maven/$1 archive
  if [[ ! -x $home/bin/mvn ]]; then
    maven_of_distribution
    detail "Fetching Maven $version"
    maven_get "org.apache.maven:apache-maven:$version:zip:bin" ||
      fail "Maven $version (maven.version in system.properties) could not be fetched (see above)." \
        "Check that there is such a release, or remove the line to use the stack's Maven."
    archive=$CACHE_DIR/m2/repository/org/apache/maven/apache-maven/$version/apache-maven-$version-bin.zip
    unzip -q "$archive" -d "$TMPDIR/maven"
    mv "$TMPDIR/maven/apache-maven-$version" "$home"
    rm -f "$archive"
  fi
  MAVEN=$home/bin/mvn
}

# maven_get COORDINATES: one artifact into the local repository.
maven_get() {
  (cd "$TMPDIR" && quietly "$MAVEN" "${MAVEN_OPTIONS[@]}" -q dependency:get "-Dartifact=$1" -Dtransitive=false)
}

# maven_settings: adds the settings file that the app names, brings or has.
maven_settings() {
  local file url
  file=$(setting MAVEN_SETTINGS_PATH)
  url=$(setting MAVEN_SETTINGS_URL)
  if [[ -n $url ]]; then
    file=$TMPDIR/settings.xml
    download "$url" "$file" || fail "The settings of MAVEN_SETTINGS_URL could not be fetched (see above)."
  elif [[ -z $file && -f $BUILD_DIR/settings.xml ]]; then
    file=settings.xml
  fi
  if [[ -n $file ]]; then
    [[ -f $BUILD_DIR/$file || -f $file ]] ||
      fail "MAVEN_SETTINGS_PATH is '$file', but the app has no such file."
    MAVEN_OPTIONS+=(-s "$file")
  fi
}
