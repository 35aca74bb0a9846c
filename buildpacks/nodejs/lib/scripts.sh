# shellcheck shell=bash
# Runs the app's own scripts of package.json.

# run_script NAME: runs a script if package.json has it.
run_script() {
  has_script "$1" || return 0
  topic "Running $1"
  (cd "$BUILD_DIR" && run npm run --if-present "$1") ||
    fail "The script '$1' of package.json failed (see above)." \
      "Run 'npm run $1' on your machine with NODE_ENV=production to see the same."
}

# build_app: heroku-postbuild instead of build, where there is one.
build_app() {
  if has_script heroku-postbuild; then
    run_script heroku-postbuild
  else
    run_script build
  fi
}
