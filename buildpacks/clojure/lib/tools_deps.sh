# shellcheck shell=bash
# Clojure's own tools: tools.deps from the repository Maven reads by default, behind a command
# "clojure" of ours. The app's libraries have a local repository of their own, which goes into the
# slug of an app that is not one jar.

readonly TOOLS_DEPS_DEFAULT=0.24.1523

# deps_install: leaves the commands clojure and clj on PATH.
deps_install() {
  local version home=$CACHE_DIR/clojure
  version=$(setting CLOJURE_TOOLS_DEPS_VERSION "$TOOLS_DEPS_DEFAULT")
  if ! cache_fits clojure "$version $(file_digest "$BUILDPACK_DIR"/tools/*)"; then
    cache_drop clojure
    mkdir -p "$home"
    cp "$BUILDPACK_DIR"/tools/* "$home/"
    ln -s clojure "$home/clj"
    deps_fetch "$version" "$home/lib"
    printf '%s\n' "$version $(file_digest "$BUILDPACK_DIR"/tools/*)" >"$home.key"
  fi
  export_path "$home"
  mkdir -p "$HOME"
  ln -sfn "$(cache_folder clojure-m2)" "$HOME/.m2"
  detail "Using tools.deps $version"
}

# deps_fetch VERSION TARGET: tools.deps and its closure as a folder of jars.
deps_fetch() {
  local pom=$TMPDIR/tools-deps/pom.xml
  detail "Fetching tools.deps $1"
  maven_install
  mkdir -p "${pom%/*}"
  cat >"$pom" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>build</groupId><artifactId>tools</artifactId><version>1</version>
<dependencies><dependency><groupId>org.clojure</groupId><artifactId>tools.deps</artifactId><version>$1</version></dependency></dependencies>
</project>
POM
  quietly "$MAVEN" "${MAVEN_OPTIONS[@]}" -q -f "$pom" dependency:copy-dependencies "-DoutputDirectory=$2" ||
    fail "tools.deps $1 could not be fetched (see above)."
}

# deps_aliases: a line "build", "run-main" or "run-exec" for each such alias of deps.edn.
deps_aliases() {
  java -XX:TieredStopAtLevel=1 -classpath "$CACHE_DIR/clojure/lib/*" clojure.main -e '
    (let [{:keys [build run]} (:aliases (clojure.edn/read-string {:default tagged-literal} (slurp "deps.edn")))]
      (when (:ns-default build) (println "build"))
      (when (:main-opts run) (println "run-main"))
      (when (:exec-fn run) (println "run-exec")))' ||
    fail "deps.edn cannot be read (see above)."
}

# deps_commands: what the Procfile gives to clojure, as far as the class path depends on it.
deps_commands() {
  [[ -f Procfile ]] || return 0
  grep -oE '(clojure|clj)( -J[^ ]+)* -[MXT][^ ]*' Procfile | sed -E 's/.* (-[MXT])/\1/' | sort -u || true
}

# deps_build KEY
deps_build() {
  local command aliases
  aliases=$(deps_aliases)
  command=$(setting BUILD_COMMAND)
  if [[ -z $command && -f bin/build ]]; then
    chmod +x bin/build
    command=bin/build
  elif [[ -z $command && $aliases == *build* ]]; then
    command="clojure -T:build uber"
  fi
  if [[ -n $command ]]; then
    topic "Running: $command"
    run bash -c "$command" || fail "The Clojure build failed (see above)."
  fi
  deps_start "$1" "$aliases"
}

# deps_start KEY ALIASES: the jar that the build made, else the alias :run.
deps_start() {
  local jars=(target/*.jar) web=
  mkdir -p .heroku/clojure
  if ((${#jars[@]} == 1)) && unzip -p "${jars[0]}" META-INF/MANIFEST.MF 2>/dev/null | grep '^Main-Class:' >/dev/null; then
    # shellcheck disable=SC2016  # for the dyno's shell
    printf 'java $JVM_OPTS -jar %s\n' "${jars[0]}" >.heroku/clojure/web
    rm -rf target/classes .cpcache
    result_keep "$1" "${jars[0]}" .heroku/clojure/web
    return
  elif [[ $2 == *run-main* ]]; then
    web=-M:run
  elif [[ $2 == *run-exec* ]]; then
    web=-X:run
  fi
  echo "${web:+clojure $web}" >.heroku/clojure/web
  deps_prepare "$web"
  result_keep "$1" .cpcache .heroku/clojure/web
}

# deps_prepare OPTIONS: class paths for what the dynos will run.
deps_prepare() {
  local options
  topic "Preparing class paths"
  for options in $1 $(deps_commands); do
    detail "clojure $options"
    run clojure -P "$options" || fail "The libraries of deps.edn could not be fetched (see above)."
  done
}

# deps_finish: an app that is not one jar needs the tools and its libraries in the slug.
deps_finish() {
  [[ -d .cpcache ]] || return 0
  cp -al "$CACHE_DIR/clojure" .heroku/clojure/tools
  cp -al "$CACHE_DIR/clojure-m2" .m2
  profile_path clojure-tools .heroku/clojure/tools
}
