# shellcheck shell=bash
# Installs the gems that Gemfile.lock pins, with Bundler's own deployment mode, into vendor/bundle.

# require_lock: without a lock file every build might install other gems.
require_lock() {
  [[ -f $BUILD_DIR/Gemfile.lock ]] || fail "There is no Gemfile.lock beside the Gemfile." \
    "It pins the gems, so that a build is the same every time. Make it and commit it:" \
    "    bundle lock" \
    "    git add Gemfile.lock && git commit -m 'Lock the gems'" \
    "If git ignores it, remove that line from .gitignore."
  refuse_merge_conflict
}

refuse_merge_conflict() {
  if grep -qE '^(<<<<<<<|>>>>>>>) ' "$BUILD_DIR/Gemfile.lock"; then
    fail "Gemfile.lock holds the marks of a merge conflict (<<<<<<<)." \
      "Resolve it, run 'bundle lock' and commit Gemfile.lock."
  fi
}

# A committed .bundle/config would win over what is set here; it is that of a developer's machine.
drop_bundle_config() {
  if [[ -f $BUILD_DIR/.bundle/config ]]; then
    warn "The app's .bundle/config is not used; set what it holds as config vars BUNDLE_…" \
      "and remove it: git rm --cached .bundle/config"
    rm -f "$BUILD_DIR/.bundle/config"
  fi
}

# choose_bundler: Bundler fetches and starts the very version that wrote the lock file; one before 2
# does not start on a Ruby of today. BUNDLER_CHOICE is the one to use then, Ruby's own.
choose_bundler() {
  local locked
  locked=$(locked_bundler)
  [[ $locked == [01].* ]] || return 0
  BUNDLER_CHOICE=$(cd "$TMPDIR" && ruby -r bundler -e 'print Bundler::VERSION')
  warn "Gemfile.lock was written by Bundler $locked, which nobody mends any more: Bundler $BUNDLER_CHOICE reads it." \
    "Bring it up to date and commit it: bundle update --bundler"
}

# bundle_environment SETTER ROOT: how gems are installed, and found again on the dyno.
bundle_environment() {
  local setter=$1 root=$2
  "$setter" BUNDLE_PATH "$root/vendor/bundle"
  "$setter" BUNDLE_BIN "$root/vendor/bundle/bin"
  "$setter" BUNDLE_DEPLOYMENT 1
  "$setter" BUNDLE_GLOBAL_PATH_APPENDS_RUBY_SCOPE 1
  [[ -z $BUNDLER_CHOICE ]] || "$setter" BUNDLER_VERSION "$BUNDLER_CHOICE"
}

# install_gems: what the last build installed, if it fits the lock file; else bundle install on top.
install_gems() {
  local key
  key=$(cache_key "$STACK" "$RUBY_SOURCE" "$RUBY_API")
  drop_bundle_config
  choose_bundler
  bundle_environment export_set "$BUILD_DIR"
  export_set BUNDLE_WITHOUT "${BUNDLE_WITHOUT-development:test}"
  export BUNDLE_JOBS=${BUNDLE_JOBS:-4}
  export NOKOGIRI_USE_SYSTEM_LIBRARIES=${NOKOGIRI_USE_SYSTEM_LIBRARIES:-true}
  if gems_are_complete "$key"; then
    topic "Using the gems of the last build: Gemfile.lock has not changed"
    return
  fi
  topic "Installing dependencies using bundler $(gem_tool_version)"
  detail "Running: BUNDLE_WITHOUT='$BUNDLE_WITHOUT' bundle install -j$BUNDLE_JOBS"
  (cd "$BUILD_DIR" && follow "$TMPDIR/bundle.log" bundle install) || gems_failed "$TMPDIR/bundle.log"
  keep_gems "$key"
}

# gems_are_complete KEY: restores the gems; tells whether they are those of this Gemfile.lock.
gems_are_complete() {
  cache_get ruby/gems "$1" "$BUILD_DIR/vendor/bundle" && [[ $(gems_digest) == "$(cached_value ruby-gems)" ]]
}

gems_digest() {
  cache_key "$(file_digest "$BUILD_DIR/Gemfile" "$BUILD_DIR/Gemfile.lock")" "$BUNDLE_WITHOUT" "${BUNDLE_WITH:-}"
}

gem_tool_version() {
  bundle --version | grep -oE '[0-9]+(\.[0-9]+)+' | sed -n 1p
}

# gems_failed LOG
gems_failed() {
  local host
  explain_private_repository "$1"
  host=$(sed -nE 's#^.*(Authentication is required|Bad username or password) for (https?://)?([^/ :]+).*#\3#p' "$1" |
    sed -n 1p)
  host=${host%.}
  if [[ -n $host ]]; then
    fail "The gem server $host wants credentials, or others than it got (see above)." \
      "Set the config var $(gem_credentials_name "$host")=user:password."
  fi
  fail "bundle install failed (see above)." \
    "A Gemfile.lock that does not fit the Gemfile, or lacks the platform of builds, is mended by" \
    "    bundle lock --add-platform x86_64-linux" \
    "and a commit of Gemfile.lock."
}

# gem_credentials_name HOST: the variable in which Bundler looks for them.
gem_credentials_name() {
  local name=${1//./__}
  name=${name//-/___}
  printf 'BUNDLE_%s' "${name^^}"
}

# The downloaded archives are no use once unpacked; unused versions go.
keep_gems() {
  (cd "$BUILD_DIR" && quietly bundle clean) || warn "bundle clean failed; unused gems stay in the slug."
  rm -rf "$BUILD_DIR"/vendor/bundle/ruby/*/cache
  cache_keep ruby/gems "$1" "$BUILD_DIR/vendor/bundle"
  cache_value ruby-gems "$(gems_digest)"
}
