# shellcheck shell=bash
# Which packages hold the extensions an app asks for, and whether it got them all.

# What PHP has on Heroku without being asked: an app that talks to a database need not say so.
readonly DEFAULT_EXTENSIONS=(bz2 curl mbstring mysqli opcache pgsql readline xml zip)

# extension_package LINE NAME: the package of the distribution that may hold an extension.
extension_package() {
  case $2 in
  dom | simplexml | xml | xmlreader | xmlwriter | xsl) printf 'php%s-xml' "$1" ;;
  mysqli | mysqlnd | pdo_mysql | mysql) printf 'php%s-mysql' "$1" ;;
  pgsql | pdo_pgsql) printf 'php%s-pgsql' "$1" ;;
  sqlite3 | pdo_sqlite) printf 'php%s-sqlite3' "$1" ;;
  odbc | pdo_odbc) printf 'php%s-odbc' "$1" ;;
  *) printf 'php%s-%s' "$1" "${2//_/-}" ;;
  esac
}

# extension_packages LINE: the packages to install, one a line. A name without a package may be
# built in; check_extensions tells.
extension_packages() {
  local line=$1 name package known
  apt_prepare
  known=$(apt_here apt-cache --no-generate pkgnames "php$line-")
  { printf '%s\n' "${DEFAULT_EXTENSIONS[@]}" && required_extensions; } | while read -r name; do
    package=$(extension_package "$line" "$name")
    if grep -qxF "$package" <<<"$known"; then
      printf '%s\n' "$package"
    fi
  done | sort -u
}

# check_extensions: ends the build when PHP lacks one that no package provides either.
check_extensions() {
  local loaded missing
  loaded=$(php -m | tr '[:upper:] ' '[:lower:]-' | sed 's/^zend-opcache$/opcache/' | sort -u)
  missing=$(comm -23 <(required_extensions) <(sort -u <(printf '%s\n' "$loaded") <(provided_extensions)))
  [[ -z $missing ]] || missing_extensions "$missing" "$loaded"
}

missing_extensions() {
  local wanted
  wanted=$(printf '%s\n' "$1" | sed 's/^/ext-/' | version_list)
  fail "PHP extensions that the app requires are not available on the stack $STACK: $wanted." \
    "Available are: $(available_extensions "$2" | fold -s -w 90 | sed '2,$s/^/    /')" \
    "Remove them from composer.json, or require a package that provides them (a polyfill)."
}

available_extensions() {
  local line
  line=$(version_line "$PHP_VERSION" 2)
  {
    printf '%s\n' "$1" | grep -v '^\[' || true
    within_suite "$(runtime_suite php "$line")" packaged_extensions "$line" |
      grep -vxE 'all-dev|cgi|cli|common|dev|fpm|phpdbg|xml|mysql' || true
  } | grep . | version_list
}

# packaged_extensions LINE: of the suite in question.
packaged_extensions() {
  apt_prepare
  apt_here apt-cache --no-generate pkgnames "php$1-" | sed "s/^php$1-//"
}
