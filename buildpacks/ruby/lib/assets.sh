# shellcheck shell=bash
# Compiles the assets of a Rails app with its own rake task, once per build.

readonly RAILS_ASSET_GEMS=(propshaft sprockets-rails webpacker shakapacker vite_rails cssbundling-rails)

# compile_assets: skipped when the app brings compiled ones or has no such task.
compile_assets() {
  has_gem railties sprockets || return 0
  [[ -f $BUILD_DIR/Rakefile || -f $BUILD_DIR/rakefile ]] || return 0
  if has_compiled_assets; then
    detail "Assets are compiled already: public/assets has a manifest"
    return
  fi
  has_asset_task || return 0
  topic "Preparing app for Rails asset pipeline"
  restore_assets
  detail "Running: rake assets:precompile assets:clean"
  (asset_environment && run bundle exec rake assets:precompile assets:clean) || assets_failed
  store_assets
}

has_compiled_assets() {
  compgen -G "$BUILD_DIR/public/assets/manifest-*.json" >/dev/null ||
    compgen -G "$BUILD_DIR/public/assets/.sprockets-manifest-*.json" >/dev/null ||
    [[ -f $BUILD_DIR/public/assets/.manifest.json || -f $BUILD_DIR/public/packs/manifest.json ]]
}

# Asking rake takes a boot of the app, so the gems that define the task are asked for first.
has_asset_task() {
  has_gem "${RAILS_ASSET_GEMS[@]}" && return 0
  local tasks
  tasks=$(asset_environment && bundle exec rake --prereqs 2>/dev/null) || return 1
  grep -qx 'rake assets:precompile' <<<"$tasks"
}

# asset_environment: for a subshell. A build has no database and no secret; Rails wants both names.
asset_environment() {
  cd "$BUILD_DIR"
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

assets_failed() {
  fail "Precompiling the assets failed (see above)." \
    "Try it as a build does: RAILS_ENV=production SECRET_KEY_BASE=1 bundle exec rake assets:precompile" \
    "An app that needs its config vars at this point finds them in its environment; a database it does not."
}

restore_assets() {
  local key=$STACK
  cache_get ruby/assets "$key" "$BUILD_DIR/public/assets" || true
  cache_get ruby/asset-work "$key" "$BUILD_DIR/tmp/cache/assets" || true
}

store_assets() {
  local name folder
  while read -r name folder; do
    if [[ -d $BUILD_DIR/$folder ]]; then
      cache_keep "ruby/$name" "$STACK" "$BUILD_DIR/$folder"
    fi
  done <<<$'assets public/assets\nasset-work tmp/cache/assets'
  rm -rf "$BUILD_DIR/tmp/cache/assets"
}
