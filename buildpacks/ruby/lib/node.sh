# shellcheck shell=bash
# Node.js for apps whose assets are made with it. It is that of the nodejs buildpack, used as it is;
# an app with both buildpacks has it already.

# install_node_if_needed: for a package.json, or a gem that calls a JavaScript engine.
install_node_if_needed() {
  if [[ -n $(command -v node || true) ]]; then
    return
  fi
  if [[ -f $BUILD_DIR/package.json ]] || has_gem execjs webpacker shakapacker; then
    install_node_here
  fi
}

# In a shell of its own: the parts of that buildpack have their own names. What it exports comes back.
install_node_here() {
  local exported=$BUILDPACK_DIR/export
  (
    for part in package range manager version runtime failure dyno; do
      # shellcheck disable=SC1090  # the parts of the nodejs buildpack
      source "$(dirname -- "$HAIKUBE_LIB")/nodejs/lib/$part.sh"
    done
    # shellcheck disable=SC2317  # called by the parts above
    [[ -f $BUILD_DIR/package.json ]] || package_value() { :; }
    prepare_environment
    install_node "$(package_manager)"
    profile_path ruby-node "$NODE_HOME_PATH/bin"
  )
  # shellcheck disable=SC1090  # written just now
  source "$exported"
}
