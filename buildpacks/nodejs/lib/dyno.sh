# shellcheck shell=bash
# The environment of the build's tools and of a Node.js dyno.

# NPM_CONFIG_PRODUCTION and YARN_PRODUCTION are for installations by scripts of the app, too; Yarn 2 and later
# does not start with the latter.
prepare_environment() {
  local left_out='^NODE_OPTIONS$'
  ! grep -qs '^__metadata:' "$BUILD_DIR/yarn.lock" || left_out+='|^YARN_PRODUCTION$'
  export_env_dir "$left_out"
  export NODE_ENV=${NODE_ENV:-production}
  env_default NPM_CONFIG_LOGLEVEL=error NODE_VERBOSE=false
  node_options
  # A registry that does not answer must not hold a build up for minutes.
  env_default npm_config_fetch_timeout=60000 npm_config_fetch_retries=3 npm_config_update_notifier=false \
    npm_config_fund=false npm_config_audit=false npm_config_progress=false npm_config_logs_max=0 \
    pnpm_config_verify_deps_before_run=warn \
    YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_PROGRESS_BARS=0 COREPACK_ENABLE_STRICT=0
  if [[ -n ${HAIKUBE_CA_BUNDLE:-} ]]; then # npm would trust nobody else
    env_default "npm_config_cafile=$NODE_EXTRA_CA_CERTS"
  fi
  topic "Creating runtime environment"
  detail "NODE_ENV=$NODE_ENV"
}

# node_options: what the app's tools get of NODE_OPTIONS; the platform's own steps, which may run another
# release of Node.js, get nothing of it. A module that is preloaded is not there before the packages are.
node_options() {
  local wanted kept
  wanted=$(setting NODE_OPTIONS --max_old_space_size=2560)
  kept=$(sed -E ":again
    s/(^|[[:space:]])(-r|--require|--import|--loader|--experimental-loader)([[:space:]]*=[[:space:]]*|[[:space:]]+)(\"[^\"]*\"|[^[:space:]]+)/\1/
    t again" <<<"$wanted")
  unset NODE_OPTIONS
  HAIKUBE_TOOL_ENV+=("NODE_OPTIONS=$kept")
  [[ $kept == "$wanted" ]] ||
    detail "What NODE_OPTIONS preloads is for dynos; a build leaves it out"
}

write_dyno_profile() {
  profile_memory
  profile_set nodejs NODE_HOME "\$HOME/$NODE_HOME_PATH"
  profile_line nodejs "export PATH=\"\$HOME/$NODE_HOME_PATH/bin:\$PATH:\$HOME/bin:\$HOME/node_modules/.bin\""
  profile_default nodejs NODE_ENV production
  # pnpm would compare its record of the build with the dyno, and install anew where nothing is writable.
  profile_default nodejs pnpm_config_verify_deps_before_run warn
  cp "$BUILDPACK_DIR/profile/concurrency.sh" "$BUILD_DIR/.profile.d/nodejs-concurrency.sh"
}
