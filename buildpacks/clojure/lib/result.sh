# shellcheck shell=bash
# The result of a build, kept for a next build of exactly the same files: Clojure compiles an app and
# all it uses anew each time, which takes most of a build. Never used when the build reads what is not
# in its files: floating versions, a build script of the app, or BUILD_ALWAYS=1.

# result_key: a digest of everything that a build reads, nothing when that cannot be told. To be asked
# before anything is written to BUILD_DIR.
result_key() {
  [[ $(setting BUILD_ALWAYS) != 1 && ! -f bin/build ]] || return 0
  ! has_config_var BUILD_COMMAND || return 0
  ! lein_is_wanted || return 0 # which needs Leiningen anew
  ! grep -v defproject project.clj deps.edn 2>/dev/null | grep -E 'SNAPSHOT|"(RELEASE|LATEST)"|"[[(][0-9.,]' >/dev/null || return 0
  cache_key "$(result_files . | sha256sum)" "$(result_files "${ENV_DIR:-/nonexistent}" | sha256sum)" \
    "$(file_digest "$BUILDPACK_DIR"/bin/* "$BUILDPACK_DIR"/lib/* "$BUILDPACK_DIR"/tools/*)" "$(result_commit)"
}

result_files() {
  [[ ! -d $1 ]] || (cd "$1" && find . \( -type f -o -type l \) -print0 | sort -z | xargs -0r sha256sum)
}

# result_commit: the commit, for apps that look at it.
result_commit() {
  if grep -rqs --exclude-dir=node_modules SOURCE_VERSION .; then
    printf '%s' "${SOURCE_VERSION:-}"
  fi
}

# result_reuse KEY: puts the last result into BUILD_DIR if it is of that key and this Java.
result_reuse() {
  local tree=$TMPDIR/result
  [[ -n $1 ]] || return 1
  cache_get clojure-result "$(result_full_key "$1")" "$tree" || return 1
  topic "Nothing has changed: using what the last build made"
  detail "BUILD_ALWAYS=1 builds again all the same"
  cp -al "$tree/." .
}

# result_keep KEY PATH...: keeps paths of BUILD_DIR.
result_keep() {
  local key=$1 tree=$TMPDIR/result
  shift
  [[ -n $key ]] || return 0
  rm -rf "$tree"
  mkdir -p "$tree"
  cp -al --parents -- "$@" "$tree"
  cache_keep clojure-result "$(result_full_key "$key")" "$tree"
}

result_full_key() {
  cache_key "$1" "$(<"$CACHE_DIR/jvm/jdk.key")"
}
