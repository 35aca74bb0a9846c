# shellcheck shell=bash
# Puts PHP, Composer and the web servers into .heroku/php: from packages of the stack (deb), or from
# an archive (a URL) of the same layout. It is asked for anew each week, so that security releases
# arrive.

readonly PHP_LAYOUT=4 PHP_FOLDER=.heroku/php

# The servers as their packages list them want systemd, perl and iproute2; running them takes these.
readonly SERVER_PACKAGES=(libapparmor1 nginx nginx-common apache2-bin libapr1t64 libaprutil1t64)

# install_php: sets PHP_VERSION and puts PHP and Composer on PATH.
install_php() {
  local source key
  PHP_HOME=$BUILD_DIR/$PHP_FOLDER
  source=$(runtime_source php deb deb)
  key=$(cache_key "$PHP_LAYOUT" "$STACK" "$source" "$(php_constraints)" "$(required_extensions)" \
    "$(strict_versions && echo strict)" "$(platform_runtimes php)" "$(date +%G-%V)" "$(file_digest "$BUILDPACK_DIR/lib/layout.sh")")
  app_link "$PHP_FOLDER"
  if cache_get php/runtime "$key" "$PHP_HOME"; then
    use_php
    topic "Using PHP $PHP_VERSION from the cache"
  else
    rm -rf "${PHP_HOME:?}"
    mkdir -p "$PHP_HOME"
    fetch_php "$source"
    use_php
    check_version
    cache_put php/runtime "$key" "$PHP_HOME"
  fi
  check_extensions
  list_runtime
}

fetch_php() {
  if [[ $1 == deb ]]; then
    php_from_packages
  else
    php_from_archive "$1"
  fi
}

# php_from_packages: the stack's own line, or, if the app does not want that, the newest that some
# suite of the distribution has and that suits, or the newest that the platform made. check_version
# ends the build when none does.
php_from_packages() {
  local line version
  line=$(runtime_stack_lines php)
  bring_php "$line"
  version=$(php_reports)
  [[ -n $(unmet_constraints "$version") ]] || return 0
  while read -r line; do
    version=$(within_suite "$(runtime_suite php "$line")" apt_known_version "php$line-cli")
    if [[ -n $version && -z $(unmet_constraints "$version") ]]; then
      detail "The app wants PHP $(php_constraints | version_list)"
      bring_php "$line"
      return
    fi
  done < <(runtime_suite_lines php | sort -rV)
  while read -r version; do
    if [[ -z $(unmet_constraints "$version") ]]; then
      take_made_php "$version"
      return
    fi
  done < <(platform_runtimes php | sort -rV)
}

# take_made_php VERSION
take_made_php() {
  detail "The app wants PHP $(php_constraints | version_list)"
  topic "Installing PHP $1"
  rm -rf "${PHP_HOME:?}"
  platform_runtime php "$1" "$PHP_HOME"
}

# bring_php LINE: packages of PHP from its suite, servers from the stack's own.
bring_php() {
  local line=$1 suite
  suite=$(runtime_suite php "$line")
  rm -rf "$TMPDIR/php" "${PHP_HOME:?}"
  mkdir -p "$PHP_HOME"
  topic "Installing PHP $(within_suite "$suite" apt_version "php$line-cli")"
  detail "It comes $(runtime_origin "$suite")"
  if ! { within_suite "$suite" unpack_php "$line" && apt_unpack_alone "$TMPDIR/php" "${SERVER_PACKAGES[@]}"; }; then
    fail "The packages of PHP $line could not be fetched (see above)." "Try again."
  fi
  lay_out_php "$TMPDIR/php" "$line" "$PHP_HOME"
  rm -rf "$TMPDIR/php"
}

# unpack_php LINE: from the suite in question.
unpack_php() {
  local line=$1 packages
  readarray -t packages < <(extension_packages "$line")
  apt_unpack "$TMPDIR/php" "php$line-cli" "${packages[@]}" composer || return 1
  apt_unpack_alone "$TMPDIR/php" "php$line-fpm"
}

# php_reports: the version that the PHP of PHP_HOME says of itself.
php_reports() {
  LD_LIBRARY_PATH="$PHP_HOME/lib" "$PHP_HOME/bin/php" -n -r 'echo PHP_VERSION;'
}

# php_from_archive URL: {version} and {stack} are replaced; the version is the first number that the
# app's requirement names.
php_from_archive() {
  local url version
  version=$(php_constraints | grep -oE '[0-9]+(\.[0-9]+)+' | sed -n 1p || true)
  url=${1//'{version}'/${version:-8.4}}
  url=${url//'{stack}'/$STACK}
  topic "Installing PHP from ${url##*/}"
  download "$url" "$TMPDIR/php.archive" "$(setting BUILDPACK_PHP_SHA256)" ||
    fail "PHP could not be fetched from $url (see above)." "Set BUILDPACK_PHP_SOURCE to deb or to another URL."
  tar --extract --file "$TMPDIR/php.archive" --directory "$PHP_HOME" || fail "$url is not a tar archive."
  rm -f "$TMPDIR/php.archive"
  [[ -x $PHP_HOME/bin/php ]] || fail "The archive $url has no bin/php at its root."
}

# use_php: the same variables here and for later buildpacks; the profile sets them on the dyno.
use_php() {
  export_set PHPRC "$HOME/$PHP_FOLDER/etc/php"
  export_set PHP_INI_SCAN_DIR "$HOME/$PHP_FOLDER/etc/php/conf.d"
  export_set LD_LIBRARY_PATH "$HOME/$PHP_FOLDER/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export_path "$HOME/$PHP_FOLDER/sbin"
  export_path "$HOME/$PHP_FOLDER/bin"
  PHP_VERSION=$(php -n -r 'echo PHP_VERSION;') || fail "PHP does not start (see above)."
}

# check_version: ends the build when this PHP does not suit the app and its packages.
check_version() {
  local unmet
  unmet=$(unmet_constraints "$PHP_VERSION")
  [[ -z $unmet ]] || unmet_version "$unmet"
  runtime_warn_ended PHP php "$(version_line "$PHP_VERSION" 2)"
}

# unmet_constraints VERSION: what the app asks of PHP and that version is not, by Composer's own rules.
unmet_constraints() {
  [[ -d $PHP_HOME/share/php/Composer/Semver ]] || return 0
  # shellcheck disable=SC2016  # the variables are PHP's
  php_constraints | LD_LIBRARY_PATH="$PHP_HOME/lib" "$PHP_HOME/bin/php" -n -r '
    require $argv[1] . "/Composer/Semver/autoload.php";
    foreach (array_filter(file("php://stdin", FILE_IGNORE_NEW_LINES)) as $constraint) {
      try {
        $fits = Composer\Semver\Semver::satisfies($argv[2], $constraint);
      } catch (UnexpectedValueException $error) {
        $fits = false;
      }
      if (!$fits) { echo $constraint, "\n"; }
    }' "$PHP_HOME/share/php" "$1"
}

unmet_version() {
  local available
  available=$({ runtime_suite_lines php && platform_runtimes php; } | version_list)
  fail "PHP $(version_list <<<"$1") is required by composer.json or a package of composer.lock;" \
    "the source of PHP has $PHP_VERSION, the stack $STACK offers: $available." \
    "Require one of them (\"php\": \"^$(version_line "$PHP_VERSION" 2)\"), run 'composer update' and commit composer.lock;" \
    "or have an administrator make one: haikube runtimes add php VERSION;" \
    "or set BUILDPACK_PHP_SOURCE to the URL of an archive that has it."
}

list_runtime() {
  detail "php ($PHP_VERSION)"
  detail "extensions: $(required_extensions | sed 's/^/ext-/' | version_list | grep . || echo 'none required')"
}
