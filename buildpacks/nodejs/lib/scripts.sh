# shellcheck shell=bash
# Runs the app's own scripts of package.json, by the app's own package manager: only that one knows
# where the programs of the packages are, as with Plug'n'Play.

# run_script NAME MANAGER [FLAG...]: runs a script if package.json has it.
run_script() {
  local command=("$2" run "$1")
  has_script "$1" || return 0
  topic "Running $1"
  if (($# > 2)); then
    detail "With the flags of NODE_BUILD_FLAGS: ${*:3}"
    [[ $2 != npm ]] || command+=(--) # which the others would hand to the script
    command+=("${@:3}")
  fi
  (cd "$BUILD_DIR" && run "${command[@]}") ||
    fail "The script '$1' of package.json failed (see above)." \
      "Run '$2 run $1' on your machine with NODE_ENV=production to see the same."
}

# run_prebuild MANAGER: by npm, since no other runs a script before it has installed; where devEngines of
# package.json wants another, npm has to be told that this is meant.
run_prebuild() {
  if [[ $1 == npm || -z $(package_value .devEngines) ]]; then
    run_script heroku-prebuild npm
  else
    npm_config_force=true run_script heroku-prebuild npm
  fi
}

# build_app MANAGER: heroku-postbuild instead of build, where there is one; build alone gets NODE_BUILD_FLAGS.
build_app() {
  local flags=()
  if has_script heroku-postbuild; then
    run_script heroku-postbuild "$1"
  else
    read -ra flags <<<"$(setting NODE_BUILD_FLAGS)"
    run_script build "$1" "${flags[@]}"
  fi
}
