# shellcheck shell=bash
# Compiles the assets of an app with its own rake task, once per build.

readonly RAILS_ASSET_GEMS=(propshaft sprockets-rails webpacker shakapacker vite_rails cssbundling-rails)

# note_source: what the app is before anything is built; says later whether its assets are current.
note_source() {
  ASSET_DIGEST=$(
    cd "$BUILD_DIR" || exit
    find . "$ENV_DIR" -type f -not -path './.git/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum
  )
}

# compile_assets: skipped when the app brings compiled ones or has no such task.
compile_assets() {
  local tasks=(assets:precompile)
  has_rakefile || return 0
  if has_compiled_assets; then
    detail "Assets are compiled already: public/assets has a manifest"
    return
  fi
  has_asset_task || return 0
  if has_gem railties sprockets; then
    topic "Preparing app for Rails asset pipeline"
    tasks+=(assets:clean)
  else
    topic "Preparing app with its own task assets:precompile"
  fi
  if restore_assets; then
    detail "Using the assets of the last build: neither the app nor its config vars have changed"
    return
  fi
  detail "Running: rake ${tasks[*]}"
  (asset_environment && follow "$TMPDIR/assets.log" bundle exec rake "${tasks[@]}") ||
    lacks_clean_task "$TMPDIR/assets.log" || assets_failed
  store_assets
  # bootsnap's cache knows the files by their path in the build: it is no use to a dyno
  rm -rf "$BUILD_DIR/tmp/cache/bootsnap"
  rmdir "$BUILD_DIR/tmp/cache" 2>/dev/null || true
}

has_rakefile() {
  local name
  for name in Rakefile rakefile Rakefile.rb rakefile.rb; do
    [[ ! -f $BUILD_DIR/$name ]] || return 0
  done
  return 1
}

has_compiled_assets() {
  compgen -G "$BUILD_DIR/public/assets/manifest-*.json" >/dev/null ||
    compgen -G "$BUILD_DIR/public/assets/.sprockets-manifest-*.json" >/dev/null ||
    [[ -f $BUILD_DIR/public/assets/.manifest.json || -f $BUILD_DIR/public/packs/manifest.json ]]
}

# Asking rake takes a boot of the app, so the gems that define the task are asked for first. An app of
# another framework, or a site that is generated, may have written it itself.
has_asset_task() {
  local tasks
  ! has_gem "${RAILS_ASSET_GEMS[@]}" || return 0
  has_gem rake || return 1
  if tasks=$(asset_environment && tool bundle exec rake --prereqs 2>"$TMPDIR/rake.log"); then
    grep -qx 'rake assets:precompile' <<<"$tasks"
  else
    remark_rakefile
    return 1
  fi
}

# remark_rakefile: one that does not load in a build is no news, unless it has the task.
remark_rakefile() {
  grep -qsE 'assets.*precompile' "$BUILD_DIR"/[Rr]akefile* || return 0
  indent <"$TMPDIR/rake.log"
  warn "The Rakefile cannot be loaded in a build (see above), so its task assets:precompile does not run." \
    "What only the groups development and test have must not be required there."
}

# asset_environment: for a subshell. A build has no database and no secret; Rails wants both names.
asset_environment() {
  cd "$BUILD_DIR" || return
  export RAILS_ENV=${RAILS_ENV:-production} RACK_ENV=${RACK_ENV:-production} RAILS_GROUPS=assets
  export SECRET_KEY_BASE=${SECRET_KEY_BASE:-$(sticky_secret)} DISABLE_SPRING=1
  export DATABASE_URL=${DATABASE_URL:-$(stand_in_database)}
  [[ -n $DATABASE_URL ]] || unset DATABASE_URL
}

stand_in_database() {
  if has_gem pg; then
    printf 'postgresql://user:pass@127.0.0.1/dbname'
  elif has_gem mysql2 trilogy; then
    printf '%s://user:pass@127.0.0.1/dbname' "$(has_gem mysql2 && echo mysql2 || echo trilogy)"
  elif has_gem sqlite3; then
    printf 'sqlite3:/tmp/assets.sqlite3'
  fi
}

# lacks_clean_task LOG: all went well but for a task that not every asset gem has.
lacks_clean_task() {
  grep -qE "Don't know how to build task '?assets:clean'?" "$1"
}

assets_failed() {
  fail "Precompiling the assets failed (see above)." \
    "Try it as a build does: RAILS_ENV=production SECRET_KEY_BASE=1 bundle exec rake assets:precompile" \
    "An app that needs its config vars at this point finds them in its environment; a database it does not."
}

# restore_assets: the last build's; true when they are this build's too. Older ones stay for a while
# beside the new, for pages that were served before the deploy: assets:clean decides.
restore_assets() {
  has_gem railties sprockets || return 1 # it may write anywhere
  cache_get ruby/assets "$STACK" "$BUILD_DIR/public/assets" || return 1
  [[ $(cached_value ruby-assets) == "$ASSET_DIGEST $RUBY_VERSION" ]] && return 0
  cache_get ruby/asset-work "$STACK" "$BUILD_DIR/tmp/cache/assets" || true
  return 1
}

store_assets() {
  has_gem railties sprockets && [[ -d $BUILD_DIR/public/assets ]] || return 0
  cache_keep ruby/assets "$STACK" "$BUILD_DIR/public/assets"
  cache_value ruby-assets "$ASSET_DIGEST $RUBY_VERSION"
  if [[ -d $BUILD_DIR/tmp/cache/assets ]]; then
    cache_keep ruby/asset-work "$STACK" "$BUILD_DIR/tmp/cache/assets"
    rm -rf "$BUILD_DIR/tmp/cache/assets"
  fi
}
