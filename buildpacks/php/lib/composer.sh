# shellcheck shell=bash
# Installs the packages that composer.lock pins, with Composer itself.

# install_packages: the vendor folder of the last build is the start where the lock file is the same.
install_packages() {
  local vendor key
  [[ -f $(manifest) ]] || return 0
  vendor=$(vendor_folder)
  if [[ ! -f $(lock_file) ]]; then
    without_lock "$vendor"
    return
  fi
  prepare_composer
  topic "Installing dependencies"
  detail "$(composer --version --no-ansi 2>/dev/null | sed -n 1p)"
  key=$(cache_key "$STACK" "$PHP_VERSION" "$(file_digest "$(manifest)" "$(lock_file)")")
  warn_vendored "$vendor" || restore_vendor "$vendor" "$key"
  run_composer install --no-progress --no-dev --prefer-dist --optimize-autoloader
  if [[ -d $BUILD_DIR/$vendor ]]; then
    cache_put php/vendor "$key" "$BUILD_DIR/$vendor"
  fi
}

# restore_vendor FOLDER KEY: without packages that are folders of the app. They are copied, and Composer
# takes what is there for what the lock file names, which says nothing of their content.
restore_vendor() {
  local name
  cache_get php/vendor "$2" "$BUILD_DIR/$1" || return 0
  while read -r name; do
    rm -rf "${BUILD_DIR:?}/$1/$name"
  done < <(manifest_value '.packages[]? | select(.dist.type == "path").name' "$(lock_file)")
}

without_lock() {
  if has_dependencies; then
    warn "The folder $1 is part of the source and there is no composer.lock: it is used as it is."
  else
    detail "composer.json requires no packages"
  fi
}

# warn_vendored FOLDER: false where the source has no such folder.
warn_vendored() {
  [[ -d $BUILD_DIR/$1 ]] || return 1
  warn "The folder $1 is part of the source: Composer brings it in line with composer.lock." \
    "Remove it from the repository: git rm -r --cached $1, and add it to .gitignore."
}

prepare_composer() {
  local mirror
  COMPOSER_HOME=$TMPDIR/composer
  COMPOSER_CACHE_DIR=$(cache_folder php/composer)
  mkdir -p "$COMPOSER_HOME"
  export COMPOSER_HOME COMPOSER_CACHE_DIR COMPOSER_NO_INTERACTION=1 COMPOSER_NO_AUDIT=1
  # an archive of a commit has no history to read the app's own version from; Composer takes this then
  export COMPOSER_ROOT_VERSION=${COMPOSER_ROOT_VERSION:-1.0.0}
  export COMPOSER_PROCESS_TIMEOUT=${COMPOSER_PROCESS_TIMEOUT:-0} COMPOSER_MEMORY_LIMIT=${COMPOSER_MEMORY_LIMIT:--1}
  # a package from a folder of the app would be a link that leads into the build
  export COMPOSER_MIRROR_PATH_REPOS=${COMPOSER_MIRROR_PATH_REPOS:-1}
  mirror=$(setting BUILDPACK_PHP_REPOSITORY)
  if [[ -n $mirror ]]; then
    (cd "$BUILD_DIR" && quietly composer config --global repo.packagist composer "$mirror") ||
      fail "BUILDPACK_PHP_REPOSITORY is '$mirror', which Composer does not take as a repository (see above)."
    [[ $mirror == https://* ]] || quietly composer config --global secure-http false
  fi
}

# run_composer ARGUMENTS...
run_composer() {
  local output=$TMPDIR/composer.log
  (cd "$BUILD_DIR" && follow "$output" composer --no-ansi "$@") && return
  explain_composer "$output" "$1"
}

# explain_composer LOG COMMAND
explain_composer() {
  explain_private_repository "$1"
  if grep -q 'COMPOSER_AUTH environment variable is malformed' "$1"; then
    fail "The config var COMPOSER_AUTH is not valid JSON." \
      "It must be an object such as {\"http-basic\": {\"repo.example.com\": {\"username\": \"…\", \"password\": \"…\"}}}."
  fi
  if grep -qiE 'could not authenticate|HTTP[/0-9.]* 40[13]|require[sd] authentication' "$1"; then
    fail "A package needs credentials (see above)." \
      "Set the config var COMPOSER_AUTH, for example" \
      "    COMPOSER_AUTH='{\"http-basic\": {\"repo.example.com\": {\"username\": \"…\", \"password\": \"…\"}}}'"
  fi
  if grep -qE 'lock file is not up to date|not present in the lock file' "$1"; then
    fail "composer.lock does not fit composer.json (see above)." \
      "Run 'composer update' on your machine, or 'composer update --lock', and commit composer.lock."
  fi
  if grep -qE 'does not satisfy that requirement|missing from your system' "$1"; then
    fail "The platform does not meet what composer.lock asks for (see above)." \
      "Run 'composer update' with the PHP that the stack has, and commit composer.lock."
  fi
  fail "composer $2 failed (see above)."
}

# run_compile_script: the "compile" script of composer.json, as on Heroku.
run_compile_script() {
  [[ -n $(manifest_value '.scripts.compile' "$(manifest)") ]] || return 0
  topic "Running the script compile of composer.json"
  prepare_composer
  run_composer run-script --no-dev compile
}
