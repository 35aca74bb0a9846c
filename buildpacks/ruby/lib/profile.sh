# shellcheck shell=bash
# What a Ruby dyno finds in its environment. Config vars win over every default.

write_ruby_profile() {
  ! has_gem railties || mkdir -p "$BUILD_DIR/tmp/pids" # where its server writes at once
  profile_memory
  profile_path ruby .heroku/ruby/bin
  profile_path ruby vendor/bundle/bin
  profile_path ruby bin
  if [[ -d $BUILD_DIR/.heroku/ruby/usr ]]; then
    # shellcheck disable=SC2016  # the variables are the dyno's
    packaged_ruby_environment ruby_profile_set '$HOME/.heroku/ruby' '${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}'
  fi
  # shellcheck disable=SC2016
  bundle_environment ruby_profile_set '$HOME'
  # shellcheck disable=SC2016
  profile_set ruby GEM_PATH "\$HOME/vendor/bundle/ruby/$RUBY_API"
  write_ruby_defaults
}

ruby_profile_set() {
  profile_set ruby "$1" "$2"
}

write_ruby_defaults() {
  profile_default ruby LANG C.UTF-8
  profile_default ruby BUNDLE_WITHOUT "$BUNDLE_WITHOUT"
  profile_default ruby RACK_ENV production
  profile_default ruby MALLOC_ARENA_MAX 2
  keep_puma_patient
  profile_default ruby DISABLE_SPRING 1
  if has_gem railties; then
    profile_default ruby RAILS_ENV production
    profile_default ruby RAILS_SERVE_STATIC_FILES enabled
    profile_default ruby RAILS_LOG_TO_STDOUT enabled
    profile_default ruby SECRET_KEY_BASE "$(sticky_secret)"
  fi
}

# keep_puma_patient: its connections to the router outlive those that the router would use again. Its
# releases 7.0.0 to 7.0.2 do not start when told so.
keep_puma_patient() {
  local puma
  puma=$(gem_version puma)
  if [[ $puma == 7.0.[0-2] ]]; then
    warn "Puma $puma does not start with PUMA_PERSISTENT_TIMEOUT set, which dynos have: it is left out." \
      "Move to a newer one: bundle update puma"
  else
    profile_default ruby PUMA_PERSISTENT_TIMEOUT 95
  fi
}

# sticky_secret: a random secret that lasts as long as the app's build cache, so that sessions
# survive a deploy. A config var SECRET_KEY_BASE is better and wins.
sticky_secret() {
  if [[ -z $(cached_value secret-key-base) ]]; then
    cache_value secret-key-base "$(od -An -N64 -tx1 /dev/urandom | tr -d ' \n')"
  fi
  cached_value secret-key-base
}
