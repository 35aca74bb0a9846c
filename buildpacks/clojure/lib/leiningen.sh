# shellcheck shell=bash
# Leiningen of the distribution: one jar and a script. It runs on the JDK of jvm.sh and keeps its
# libraries in the cache.

readonly LEIN_PACKAGES=(leiningen)
readonly LEIN_RECIPE=1

# lein_install: leaves the command lein on PATH.
lein_install() {
  local home=$CACHE_DIR/lein root=$TMPDIR/jvm
  if ! cache_fits lein "$LEIN_RECIPE"; then
    [[ -f $root/usr/bin/lein ]] || apt_unpack "$root" "${LEIN_PACKAGES[@]}" ||
      fail "Leiningen could not be fetched from the distribution (see above)."
    cache_drop lein
    mkdir -p "$home/bin"
    cp -L "$root"/usr/share/java/leiningen-[0-9]*.jar "$home/"
    # Beside the script wherever that lies: in the cache or in the slug.
    # shellcheck disable=SC2016  # for the script itself
    sed 's|^LEIN_JAR=.*|LEIN_JAR=$BIN_DIR/../leiningen-$LEIN_VERSION.jar|' "$root/usr/bin/lein" >"$home/bin/lein"
    chmod +x "$home/bin/lein"
    printf '%s\n' "$LEIN_RECIPE" >"$home.key"
  fi
  export_path "$home/bin"
  lein_environment
}

# lein_environment: libraries go to the cache, mirrors come from the setting LEIN_MIRRORS.
lein_environment() {
  local mirror
  export LEIN_HOME=$TMPDIR/lein
  env_default LEIN_NO_DEV=yes
  LEIN_JVM_OPTS="$(jvm_tool_options "$CACHE_DIR/jvm/lein.jsa")"
  export LEIN_JVM_OPTS
  mkdir -p "$LEIN_HOME" "$HOME"
  ln -sfn "$(cache_folder m2)" "$HOME/.m2"
  mirror=$(setting LEIN_MIRRORS)
  [[ -n $mirror ]] || return 0
  printf '{:user {:mirrors {#".*" {:name "mirror" :url "%s"}}}}\n' "$mirror" >"$LEIN_HOME/profiles.clj"
}

lein_version() {
  sed -nE 's/^export LEIN_VERSION="([^"]+)".*/\1/p' "$CACHE_DIR/lein/bin/lein"
}

# lein_task: the words for lein; a project with an uberjar name is one file in the end.
lein_task() {
  local task
  task=$(setting LEIN_BUILD_TASK)
  if [[ -n $task ]]; then
    printf '%s' "$task"
  elif project_has :uberjar-name; then
    printf 'uberjar'
  else
    printf 'with-profile production compile :all'
  fi
}

# lein_build: BUILD_COMMAND, or bin/build, or Leiningen's task.
lein_build() {
  local output=$TMPDIR/lein.log command
  command=$(setting BUILD_COMMAND)
  if [[ -z $command && -f bin/build ]]; then
    chmod +x bin/build
    command=bin/build
  fi
  command=${command:-lein $(lein_task)}
  topic "Running: $command"
  follow "$output" bash -c "$command" || lein_explain "$output"
}

lein_explain() {
  if repository_refused "$1"; then
    fail "A repository wants credentials (see above)." \
      "Let project.clj read them from config vars, here REPOSITORY_USER and REPOSITORY_PASSWORD:" \
      '    :repositories {"private" {:url "…" :username :env/repository_user :password :env/repository_password}}'
  elif grep -q 'Could not find artifact\|Could not transfer artifact\|dependencies could not be resolved' "$1"; then
    fail "Leiningen could not fetch what project.clj asks for (see above)." \
      "Check the coordinates; LEIN_MIRRORS names another repository."
  elif grep -q 'Syntax error\|Compiler.*Exception' "$1"; then
    fail "The app does not compile (see above)."
  fi
  fail "The Clojure build failed (see above)."
}

# lein_uberjar: the path of what the build made; :target-path "target/%s/" puts it one folder further down.
lein_uberjar() {
  local name file
  name=$(project_string :uberjar-name)
  [[ -n $name ]] || return 0
  for file in target/"$name" target/*/"$name"; do
    if [[ -f $file ]]; then
      printf '%s' "$file"
      return
    fi
  done
}

# lein_start KEY: how the app is started: its uberjar, which is kept, else lein itself, which then goes
# into the slug.
lein_start() {
  local jar
  jar=$(lein_uberjar)
  mkdir -p .heroku/clojure
  if [[ -z $jar ]]; then
    lein_keep "the build made no uberjar (:uberjar-name in project.clj)"
    echo 'lein with-profile production trampoline run' >.heroku/clojure/web
    return
  fi
  # shellcheck disable=SC2016  # for the dyno's shell
  printf 'java $JVM_OPTS -jar %s\n' "$jar" >.heroku/clojure/web
  if lein_is_wanted; then
    lein_keep "LEIN_INCLUDE_IN_SLUG is yes"
  else
    lein_remark
    result_keep "$1" "$jar" .heroku/clojure/web
  fi
}

# lein_is_wanted: the app asks for Leiningen on its dynos.
lein_is_wanted() {
  [[ $(setting LEIN_INCLUDE_IN_SLUG no) == yes ]]
}

# lein_keep WHY: Leiningen and the libraries into the slug.
lein_keep() {
  topic "Keeping Leiningen in the slug, since $1"
  cp -al "$CACHE_DIR/lein" .heroku/lein
  cp -al "$CACHE_DIR/m2" .m2
  profile_path lein .heroku/lein/bin
  profile_default lein LEIN_NO_DEV yes
}

lein_remark() {
  ! grep -qsE '^[^:#]+:.*\blein ' Procfile ||
    warn "The Procfile starts lein, which a slug with an uberjar does not have." \
      "Start the jar, or set the config var LEIN_INCLUDE_IN_SLUG=yes."
}

# lein_tidy: class files beside the uberjar are only copies of what is in it.
lein_tidy() {
  local jar
  jar=$(lein_uberjar)
  [[ -n $jar ]] || return 0
  rm -rf target/classes target/stale "${jar%/*}"/{classes,stale}
  [[ $jar == target/uberjar/* ]] || rm -rf target/uberjar
}
