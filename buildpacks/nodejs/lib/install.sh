# shellcheck shell=bash
# Installs the app's packages, and takes those only needed to build out again.
#
# The tree of an app whose installation runs no script of its own, and takes no package from its own
# folders, is cached as a whole; otherwise the package manager's own cache is. Without a lock file a tree is kept for a week: newer versions
# arrive, as newer releases of Node.js do, but not with each push.

# The key of the tree that is cached as a whole, see tree_key.
TREE_KEY=

# install_packages MANAGER
install_packages() {
  local manager=$1
  topic "Installing dependencies"
  warn_about_source
  TREE_KEY=$(tree_key "$manager")
  if [[ -n $TREE_KEY ]] && cache_get node_modules "$TREE_KEY" "$BUILD_DIR/node_modules"; then
    detail "Restored from the cache: $(tree_origin) has not changed"
    return
  fi
  "install_with_$manager"
  if [[ -n $TREE_KEY && -d $BUILD_DIR/node_modules ]]; then
    cache_drop "manager/$manager"
    cache_put node_modules "$TREE_KEY" "$BUILD_DIR/node_modules"
  fi
}

warn_about_source() {
  if [[ -d $BUILD_DIR/node_modules ]]; then
    warn "node_modules is part of the source: packages of another platform may not run." \
      "Remove it from the repository: git rm -r --cached node_modules, and add it to .gitignore."
  fi
  if ! has_lock_file; then
    warn "No lock file found: a build may get other versions of the app's packages than the last." \
      "Run npm install on your machine and commit package-lock.json."
  fi
}

# tree_key MANAGER: what node_modules is made from; nothing when it is not to be cached as a whole.
tree_key() {
  if [[ $(setting NODE_MODULES_CACHE true) == false ]] || has_install_scripts || has_local_packages ||
    grep -qs '^__metadata:' "$BUILD_DIR/yarn.lock"; then
    return
  fi
  if has_lock_file; then
    packages_key "$1" "$(npm_command)" "$(! only_production "$1" || echo production)"
  elif [[ ! -d $BUILD_DIR/node_modules ]]; then
    packages_key "$1" "$(date +%G-%V)"
  fi
}

tree_origin() {
  if has_lock_file; then
    printf 'the lock file'
  else
    printf 'package.json'
  fi
}

# packages_key MANAGER [MORE]
packages_key() {
  cache_key "$STACK" "$1" "$(<"$BUILD_DIR/$NODE_HOME_PATH/version")" "$NODE_ENV" "$(cd "$BUILD_DIR" &&
    file_digest package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml .npmrc \
      .yarnrc pnpm-workspace.yaml)" "${@:2}"
}

install_with_npm() {
  local options=(--include=dev)
  ! only_production npm || options=(--omit=dev)
  options+=(--cache "$(manager_cache npm)")
  detail "Installing node modules (npm $(npm_command))"
  [[ $(npm_command) == ci ]] || options+=(--no-save)
  manager_run npm "$(npm_command)" "${options[@]}"
}

# npm_command: "npm ci" keeps to the lock file; USE_NPM_INSTALL is for one that does not fit package.json.
npm_command() {
  if [[ $(setting USE_NPM_INSTALL) == true || ! (-f $BUILD_DIR/package-lock.json || -f $BUILD_DIR/npm-shrinkwrap.json) ]]; then
    printf install
  else
    printf ci
  fi
}

# only_production MANAGER: the app wants no development packages, not even while it builds.
only_production() {
  case $1 in
  npm) [[ $(setting NPM_CONFIG_PRODUCTION) == true ]] ;;
  yarn) [[ $(setting YARN_PRODUCTION) == true ]] && ! grep -qs '^__metadata:' "$BUILD_DIR/yarn.lock" ;;
  *) return 1 ;;
  esac
}

install_with_yarn() {
  detail "Installing node modules ($(frozen yarn.lock 'yarn install'))"
  if [[ $(yarn_version) == 1.* ]]; then
    YARN_PRODUCTION=$(only_production yarn && echo true || echo false) NODE_ENV=development manager_run yarn install "$(frozen --frozen-lockfile --no-lockfile)" \
      --ignore-engines --non-interactive --no-progress --cache-folder "$(manager_cache yarn)"
  else
    install_with_modern_yarn
  fi
}

# Packages lie beside the app, since Plug'n'Play reads them there at run time.
install_with_modern_yarn() {
  local key folder=$BUILD_DIR/.yarn/cache
  key=$(file_digest "$BUILD_DIR/yarn.lock")
  if [[ -d $folder ]]; then
    detail "Using the packages that are part of the source (.yarn/cache)"
    yarn_here install "$(frozen --immutable --no-immutable)"
    return
  fi
  cache_get yarn-packages "$key" "$folder" || true
  yarn_here install "$(frozen --immutable --no-immutable)"
  if [[ -d $folder ]]; then
    cache_put yarn-packages "$key" "$folder"
  fi
}

# frozen WITH WITHOUT: a word that is another where there is no lock file to keep to.
frozen() {
  if has_lock_file; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

yarn_here() {
  yarn_trust
  YARN_ENABLE_GLOBAL_CACHE=false YARN_GLOBAL_FOLDER=$TMPDIR/yarn manager_run yarn "$@"
}

# yarn_trust: the setting has another name before Yarn 4, which each takes for a mistake of the other.
yarn_trust() {
  [[ -n ${HAIKUBE_CA_BUNDLE:-} ]] || return 0
  case $(yarn_version) in
  [23].*) export YARN_CA_FILE_PATH=$NODE_EXTRA_CA_CERTS ;;
  *) export YARN_HTTPS_CA_FILE_PATH=$NODE_EXTRA_CA_CERTS ;;
  esac
}

install_with_pnpm() {
  detail "Installing node modules ($(frozen pnpm-lock.yaml 'pnpm install'))"
  manager_run pnpm install "$(frozen --frozen-lockfile --no-frozen-lockfile)" --no-prod --reporter=append-only \
    --store-dir "$(manager_cache pnpm)"
}

# manager_cache NAME: the folder for the manager's downloads, kept only where the tree is not.
manager_cache() {
  if [[ -n $TREE_KEY ]]; then
    printf '%s' "$TMPDIR/manager-$1"
  else
    cache_folder "manager/$1"
  fi
}

yarn_version() {
  (cd "$BUILD_DIR" && yarn --version)
}

# prune_packages MANAGER
prune_packages() {
  [[ -d $BUILD_DIR/node_modules || -f $BUILD_DIR/.pnp.cjs ]] || return 0
  topic "Pruning devDependencies"
  if [[ $NODE_ENV != production ]]; then
    detail "Skipping because NODE_ENV is '$NODE_ENV'"
  elif only_production "$1" || [[ $(setting NPM_CONFIG_PRODUCTION) == false || $(setting YARN_PRODUCTION) == false ||
    $(setting PNPM_SKIP_PRUNING) == true || $(setting YARN2_SKIP_PRUNING) == true ]]; then
    detail "Skipping because a config var says so"
  elif [[ $(package_value '.devDependencies | length') == 0 && -z $(package_value .workspaces) ]] && ! is_pnpm_workspace; then
    detail "There are none"
  else
    "prune_with_$1"
  fi
}

prune_with_npm() {
  manager_run npm prune --omit=dev --ignore-scripts --no-save
}

prune_with_yarn() {
  if [[ $(yarn_version) == 1.* ]]; then
    manager_run yarn install --production --frozen-lockfile --ignore-engines --ignore-scripts --prefer-offline \
      --non-interactive --no-progress --cache-folder "$(manager_cache yarn)"
  elif yarn_can_prune; then
    yarn_here workspaces focus --all --production
  else
    prune_without_plugin
  fi
}

# prune_without_plugin: Yarn 2 and 3 install once more, from what was fetched, as if no package.json named any
# development package. Those and the lock file are then what they were, but with Plug'n'Play: this Yarn
# starts nothing while a package.json names what its map has not.
prune_without_plugin() {
  local kept=$TMPDIR/with-development file files
  mapfile -t files < <(yarn_manifests)
  mkdir -p "$kept"
  (cd "$BUILD_DIR" && cp --parents -- "${files[@]}" yarn.lock "$kept")
  for file in "${files[@]}"; do
    jq 'del(.devDependencies)' "$kept/$file" >"$BUILD_DIR/$file"
  done
  YARN_ENABLE_IMMUTABLE_INSTALLS=false yarn_here install "$(yarn_skips_builds)"
  [[ -f $BUILD_DIR/.pnp.cjs ]] || cp -a "$kept/." "$BUILD_DIR/"
}

# yarn_manifests: the package.json of the app and of all its workspaces, one a line.
yarn_manifests() {
  (cd "$BUILD_DIR" && tool yarn workspaces list --json) | jq -r '.location + "/package.json"'
}

yarn_skips_builds() {
  if [[ $(yarn_version) == 2.* ]]; then printf -- '--skip-builds'; else printf -- '--mode=skip-build'; fi
}

# yarn_can_prune: Yarn 2 and 3 leave this to a plugin.
yarn_can_prune() {
  [[ $(yarn_version) != [23].* ]] || (cd "$BUILD_DIR" && yarn workspaces focus --help >"$TMPDIR/yarn-focus" 2>&1)
}

# drop_archives: those of Yarn 2 and later that a dyno does not read: with node_modules all of them, with
# Plug'n'Play what it does not name any more. The cache has its own copy.
drop_archives() {
  local archive
  if [[ ! -f $BUILD_DIR/.pnp.cjs ]]; then
    rm -rf "$BUILD_DIR/.yarn/cache"
    return
  fi
  for archive in "$BUILD_DIR"/.yarn/cache/*.zip; do
    grep -qsF -- "${archive##*/}" "$BUILD_DIR/.pnp.cjs" "$BUILD_DIR/.pnp.data.json" || rm -f "$archive"
  done
}

prune_with_pnpm() {
  local version
  version=$(cd "$BUILD_DIR" && pnpm --version)
  if is_pnpm_workspace; then
    prune_pnpm_workspace
  elif version_at_least "$version" 8.15.6; then
    CI=true manager_run pnpm prune --prod --ignore-scripts
  elif has_install_scripts; then
    warn "pnpm $version would run the app's install scripts again to prune: development packages stay in the slug." \
      "pnpm 8.15.6 and later need not."
  else
    CI=true manager_run pnpm prune --prod
  fi
}

# prune_pnpm_workspace: pnpm prunes its root alone, so all members are installed anew from what was fetched
# for the first time. That runs their install scripts once more, which may need what is pruned.
prune_pnpm_workspace() {
  local member members
  mapfile -t members < <(pnpm_members)
  for member in "${members[@]}"; do
    has_pnpm_scripts "$member/package.json" || continue
    warn "${member#"$BUILD_DIR/"}/package.json has install scripts, which would run again to prune the workspace:" \
      "development packages stay in the slug. Without them (preinstall, install, postinstall, prepare) they would go."
    return
  done
  for member in "${members[@]}"; do
    rm -rf "$member/node_modules"
  done
  CI=true manager_run pnpm install --prod --frozen-lockfile --prefer-offline --reporter=append-only \
    --store-dir "$(manager_cache pnpm)"
}

# pnpm_members: the folders of a workspace, its root among them, one a line.
pnpm_members() {
  (cd "$BUILD_DIR" && tool pnpm list --recursive --json --depth -1) | jq -r '.[].path'
}
