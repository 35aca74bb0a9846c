# shellcheck shell=bash
# Django's static files: collected into the slug, unless the app says not to.

# collect_static
collect_static() {
  local manage
  manage=$(manage_file)
  [[ -n $manage ]] || return 0
  "$PYTHON" -c 'import django' 2>/dev/null || return 0
  if [[ -n $(config_var DISABLE_COLLECTSTATIC) && $(config_var DISABLE_COLLECTSTATIC) != 0 ]]; then
    topic "Skipping Django collectstatic, since DISABLE_COLLECTSTATIC is set"
    return
  elif [[ -f $BUILD_DIR/.heroku/collectstatic_disabled ]]; then
    topic "Skipping Django collectstatic, since the app has a file .heroku/collectstatic_disabled"
    return
  fi
  run_collectstatic "$manage"
}

# manage_file: the manage.py nearest to the root, since an example below it may have one of its own.
manage_file() {
  find "$BUILD_DIR" -maxdepth 3 -type f -name manage.py -not -path '*/.heroku/*' \
    -not -path '*/node_modules/*' -printf '%d %p\n' | sort -k1,1n -k2 | sed -n '1s/^[0-9]* //p'
}

# A project whose settings name no place to collect to, or no static files, is left alone. It starts in
# the root, wherever manage.py lies: that is where settings look for what they name by a short path.
run_collectstatic() {
  local code=0 manage=${1#"$BUILD_DIR/"}
  topic "\$ python $manage collectstatic --noinput"
  (cd "$BUILD_DIR" && run "$PYTHON" "$BUILDPACK_DIR/lib/collectstatic.py" "$manage") || code=$?
  case $code in
  0) ;;
  3) detail "Skipped, since STATIC_ROOT or django.contrib.staticfiles is not set" ;;
  *) fail "Django could not collect its static files (see above)." \
    "Settings must load without the database; a variable they need is set as a config var." \
    "If the app serves no static files: set the config var DISABLE_COLLECTSTATIC=1." ;;
  esac
}
