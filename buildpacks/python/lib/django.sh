# shellcheck shell=bash
# Django's static files: collected into the slug, unless the app says not to.

# collect_static
collect_static() {
  local manage
  manage=$(find "$BUILD_DIR" -maxdepth 3 -type f -name manage.py -not -path '*/.heroku/*' \
    -not -path '*/node_modules/*' | sort | head -n 1)
  [[ -n $manage ]] || return 0
  "$PYTHON" -c 'import django' 2>/dev/null || return 0
  if [[ -n $(config_var DISABLE_COLLECTSTATIC) && $(config_var DISABLE_COLLECTSTATIC) != 0 ]]; then
    topic "Skipping Django collectstatic, since DISABLE_COLLECTSTATIC is set"
    return
  fi
  if ! wants_static "$manage"; then
    topic "Skipping Django collectstatic, since STATIC_ROOT or django.contrib.staticfiles is not set"
    return
  fi
  run_collectstatic "$manage"
}

# A project that sets no STATIC_ROOT has no place to collect to. Settings that cannot be loaded are
# for collectstatic itself to report.
wants_static() {
  local settings
  settings=$(cd "$(dirname "$1")" && "$PYTHON" manage.py diffsettings --all 2>/dev/null) || return 0
  ! grep -qE "^(###)? *STATIC_ROOT = (None|'')" <<<"$settings" &&
    grep -E '^(###)? *INSTALLED_APPS = ' <<<"$settings" | grep -q staticfiles
}

run_collectstatic() {
  topic "\$ python ${1#"$BUILD_DIR/"} collectstatic --noinput"
  (cd "$(dirname "$1")" && run "$PYTHON" manage.py collectstatic --noinput --traceback) ||
    fail "Django could not collect its static files (see above)." \
      "Settings must load without the database; a variable they need is set as a config var." \
      "If the app serves no static files: set the config var DISABLE_COLLECTSTATIC=1."
}
