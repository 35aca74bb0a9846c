# shellcheck shell=bash
# Which package manager an app uses, by its lock file, and which version of it.

readonly YARN_CLASSIC=1.22.22 YARN_MODERN=4 PNPM_DEFAULT=10

# lock_files: the names of those the app has, one per line.
lock_files() {
  local file
  for file in package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml; do
    if [[ -f $BUILD_DIR/$file ]]; then
      printf '%s\n' "$file"
    fi
  done
}

has_lock_file() {
  [[ -n $(lock_files) ]]
}

# package_manager: npm, yarn or pnpm; two lock files are an error.
package_manager() {
  local found
  readarray -t found < <(lock_files)
  if ((${#found[@]} > 1)) && [[ ${found[*]} != "package-lock.json npm-shrinkwrap.json" ]]; then
    fail "Build failed: several lock files found: ${found[*]}." \
      "Each belongs to another package manager: keep that of the one you use and delete the others."
  fi
  case ${found[0]:-} in
  yarn.lock) printf yarn ;;
  pnpm-lock.yaml) printf pnpm ;;
  *) printf npm ;;
  esac
}

# manager_request NAME: the version the app asks for: packageManager, then engines; may be empty.
manager_request() {
  local pinned
  pinned=$(package_value .packageManager)
  if [[ $pinned == "$1@"* ]]; then
    pinned=${pinned#"$1@"}
    printf '%s' "${pinned%%+*}"
  else
    package_value ".engines[\"$1\"]"
  fi
}

# manager_package NAME: what to install to have it, as "package@version"; empty for npm as it comes.
manager_package() {
  local request
  request=$(manager_request "$1")
  case $1 in
  npm) [[ -z $request ]] || printf 'npm@%s' "$request" ;;
  pnpm) printf 'pnpm@%s' "${request:-$(pnpm_for_lock)}" ;;
  yarn)
    if yarn_is_modern "$request"; then
      printf '@yarnpkg/cli-dist@%s' "${request:-$YARN_MODERN}"
    else
      printf 'yarn@%s' "${request:-$YARN_CLASSIC}"
    fi
    ;;
  esac
}

yarn_is_modern() {
  if [[ -n $1 ]]; then
    [[ ! $1 =~ ^[^0-9]*1(\.|$) ]]
  else
    grep -q '^__metadata:' "$BUILD_DIR/yarn.lock"
  fi
}

pnpm_for_lock() {
  local version
  version=$(sed -nE "s/^lockfileVersion: *'?([0-9]+).*/\1/p" "$BUILD_DIR/pnpm-lock.yaml" | head -n 1)
  case $version in
  5) printf 7 ;;
  6) printf 8 ;;
  *) printf '%s' "$PNPM_DEFAULT" ;;
  esac
}
