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

# package_manager: npm, yarn or pnpm, by lock file, else as packageManager says; two lock files are an error.
package_manager() {
  local found
  readarray -t found < <(lock_files)
  if ((${#found[@]} > 1)) && [[ ${found[*]} != "package-lock.json npm-shrinkwrap.json" ]]; then
    fail "Build failed: several lock files found: ${found[*]}." \
      "Each belongs to another package manager: keep that of the one you use and delete the others."
  fi
  case ${found[0]:-} in
  package-lock.json | npm-shrinkwrap.json) printf npm ;;
  yarn.lock) printf yarn ;;
  pnpm-lock.yaml) printf pnpm ;;
  *) pinned_manager | grep -xE 'yarn|pnpm' || printf npm ;;
  esac
}

# pinned_manager: the name in packageManager of package.json.
pinned_manager() {
  package_value .packageManager | cut -d @ -f 1
}

# check_manager MANAGER: what package.json says of package managers must not contradict itself.
check_manager() {
  local pinned version range
  pinned=$(pinned_manager)
  if [[ -n $pinned && $pinned != "$1" ]] && ! has_lock_file; then
    warn "packageManager of package.json says $(package_value .packageManager), which is not known here: $1 is used." \
      "Known are npm, yarn and pnpm."
    return
  elif [[ -n $pinned && $pinned != "$1" ]]; then
    warn "packageManager of package.json says $(package_value .packageManager), but the lock file is that of $1," \
      "so $1 is used. Keep what you use: delete $(lock_files | paste -sd ' '), or correct packageManager."
    return
  fi
  version=$(manager_request "$1")
  range=$(package_value ".engines[\"$1\"]")
  if [[ -n $pinned && -n $range ]] && ! range_allows "$range" "${version%%.*}"; then
    fail "package.json contradicts itself: packageManager says $1@$version, engines.$1 says $range." \
      "Remove one of the two."
  fi
}

# require_yarn_release: .yarnrc.yml, for Yarn 1 .yarnrc, may name the very Yarn to run; that file is
# easily left to .gitignore.
require_yarn_release() {
  local file path
  for file in .yarnrc.yml .yarnrc; do
    [[ -f $BUILD_DIR/$file ]] || continue
    path=$(sed -nE "s/^(yarnPath:|yarn-path) *[\"']?([^\"' ]+)[\"']?.*/\2/p" "$BUILD_DIR/$file" | tr -d '\r' | sed -n 1p)
    [[ -z $path || -f $BUILD_DIR/$path ]] ||
      fail "$file names the Yarn $path, which is not in the repository." \
        "Add it (git add -f $path), or remove that line and name the version in packageManager of package.json."
  done
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
  pnpm) pnpm_package "$request" ;;
  yarn) yarn_package "$request" ;;
  esac
}

# yarn_package REQUEST: a lock file is read by its own kind of Yarn alone, whatever else the range has.
yarn_package() {
  if yarn_is_modern "$1"; then
    [[ -z $1 ]] || range_allows "$1" 2 3 4 5 6 ||
      refuse_manager yarn "$1" "yarn.lock" "Yarn 2 or later"
    modern_yarn_package "$1"
  else
    [[ -z $1 ]] || range_allows "$1" 1 || refuse_manager yarn "$1" "yarn.lock" "Yarn 1"
    printf 'yarn@%s' "${1:-$YARN_CLASSIC}"
  fi
}

# modern_yarn_package REQUEST: of a range, the line that wrote the lock file: a later one would write it anew.
modern_yarn_package() {
  local line
  line=$(yarn_for_lock)
  if [[ -z $1 ]] || { range_allows "$1" "$line" && range_allows "$1" "$((line + 1))"; }; then
    printf '@yarnpkg/cli-dist@%s' "$line"
  elif [[ $1 == 2.4.3 ]]; then
    printf 'yarn@2.4.3' # the last of its line, which is there under the older name alone
  else
    printf '@yarnpkg/cli-dist@%s' "$1"
  fi
}

# refuse_manager NAME REQUEST FILE KIND
refuse_manager() {
  fail "package.json asks for $1 $2, but $3 was written by $4." \
    "Ask for a version that can read it, or install with $1 $2 on your machine and commit $3."
}

# yarn_is_modern REQUEST: by the lock file, where there is one that says so.
yarn_is_modern() {
  if [[ -s $BUILD_DIR/yarn.lock || -z $1 ]]; then
    grep -qs '^__metadata:' "$BUILD_DIR/yarn.lock"
  else
    ! range_allows "$1" 1
  fi
}

# yarn_for_lock: the line that wrote the lock file, as it says, else the newest.
yarn_for_lock() {
  local version=
  if [[ -f $BUILD_DIR/yarn.lock ]]; then
    version=$(sed -nE '/^__metadata:/,/^$/s/^  version: *([0-9]+).*/\1/p' "$BUILD_DIR/yarn.lock")
  fi
  case $version in
  4) printf 2 ;;
  5 | 6) printf 3 ;;
  *) printf '%s' "$YARN_MODERN" ;;
  esac
}

# pnpm_package REQUEST
pnpm_package() {
  local fits
  read -ra fits <<<"$(pnpm_for_lock)"
  if [[ -z $1 ]]; then
    printf 'pnpm@%s' "${fits[0]}"
  elif ! range_allows "$1" "${fits[@]}"; then
    refuse_manager pnpm "$1" pnpm-lock.yaml "pnpm ${fits[0]}"
  elif [[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9] ]] || ((${#fits[@]} > 1)); then
    printf 'pnpm@%s' "$1"
  else
    printf 'pnpm@%s' "${fits[0]}"
  fi
}

# pnpm_for_lock: the major versions that read the lock file as it is, the best first.
pnpm_for_lock() {
  local version=
  if [[ -f $BUILD_DIR/pnpm-lock.yaml ]]; then
    version=$(sed -nE "s/^lockfileVersion: *'?([0-9]+).*/\1/p" "$BUILD_DIR/pnpm-lock.yaml" | sed -n 1p)
  fi
  case $version in
  5) printf '7' ;;
  6) printf '8' ;;
  9) printf '%s 9 11 12' "$PNPM_DEFAULT" ;;
  *) printf '%s 6 7 8 9 11 12' "$PNPM_DEFAULT" ;;
  esac
}
