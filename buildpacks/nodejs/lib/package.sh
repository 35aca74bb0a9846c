# shellcheck shell=bash
# Reads package.json. It never changes it.

# package_value FILTER: a value of package.json by its jq path, empty when there is none.
package_value() {
  jq -r "($1)? // empty" "$BUILD_DIR/package.json"
}

# has_script NAME
has_script() {
  jq -e --arg name "$1" '.scripts[$name]? // empty' "$BUILD_DIR/package.json" >/dev/null
}

check_package_json() {
  local why
  why=$(jq -e 'type == "object"' "$BUILD_DIR/package.json" 2>&1 >/dev/null) && return
  fail "package.json is not valid JSON: ${why:-it is not an object}." \
    "Check it with an editor or with 'npm pkg get'."
}

# Scripts of the app that an installation runs: their results may lie anywhere.
has_install_scripts() {
  jq -e '(.workspaces // empty), (.scripts // {} | .preinstall, .install, .postinstall, .prepublish,
    .preprepare, .prepare, .postprepare, .["pnpm:devPreinstall"], .dependencies | select(.))' \
    "$BUILD_DIR/package.json" >/dev/null
}

# has_pnpm_scripts FILE: what pnpm runs of a package.json when it installs a workspace.
has_pnpm_scripts() {
  jq -e '.scripts // {} | .["pnpm:devPreinstall"], .preinstall, .install, .postinstall, .prepare | select(.)' "$1" >/dev/null
}

# Packages that are folders or archives of the source: no lock file says what is in them, managers copy
# some of them, and some have packages of their own beside them.
has_local_packages() {
  is_pnpm_workspace || jq -e '[.dependencies, .devDependencies, .optionalDependencies, .overrides,
    .resolutions, .pnpm | .. | strings | select(test("^(file:|link:|portal:|workspace:|[./]|~/)"))] | length > 0' "$BUILD_DIR/package.json" >/dev/null
}

# is_pnpm_workspace: the file may hold settings alone.
is_pnpm_workspace() {
  grep -qs '^packages:' "$BUILD_DIR/pnpm-workspace.yaml"
}
