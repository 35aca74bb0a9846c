# shellcheck shell=bash
# Compiles a release of PHP into the layout of the packages: the servers and Composer around it stay
# those of the stack. Loaded by runtimes/make alone: it takes minutes.

readonly PHP_UPSTREAM=https://www.php.net
# What the headers and libraries of the stack allow, and apps ask for.
readonly PHP_CONFIGURE=(--enable-fpm --disable-cgi --disable-phpdbg --without-pear --enable-bcmath
  --enable-calendar --enable-exif --enable-ftp --enable-gd --enable-intl --enable-mbstring --enable-pcntl
  --enable-shmop --enable-soap --enable-sockets --enable-sysvmsg --enable-sysvsem --enable-sysvshm
  --with-bz2 --with-curl --with-external-gd --with-gettext --with-gmp --with-mysqli=mysqlnd --with-openssl
  --with-password-argon2 --with-pdo-mysql=mysqlnd --with-pdo-pgsql --with-pgsql --with-readline
  --with-sodium --with-xsl --with-zip --with-zlib)

# php_from_source VERSION: that release, checked by the sha256 that its makers say.
php_from_source() {
  local version=$1 mirror answer=$TMPDIR/php.json name=php-$1.tar.gz sha256
  mirror=$(setting BUILDPACK_PHP_MIRROR "$PHP_UPSTREAM")
  download "${mirror%/}/releases/index.php?json&version=$version" "$answer" ||
    fail "What the makers of PHP say of $version could not be fetched from $mirror (see above)." \
      "BUILDPACK_PHP_MIRROR names a mirror."
  sha256=$(jq -er --arg name "$name" '.source[] | select(.filename == $name).sha256' "$answer") ||
    fail "There is no release $version of PHP at $mirror."
  download "${mirror%/}/distributions/$name" "$TMPDIR/$name" "$sha256" ||
    fail "PHP $version could not be fetched from $mirror (see above)."
  topic "Compiling PHP $version"
  mkdir -p "$TMPDIR/php-source"
  tar --extract --gzip --file "$TMPDIR/$name" --directory "$TMPDIR/php-source" --strip-components 1
  quietly php_compile "$TMPDIR/php-source" || fail "PHP $version did not compile (see above)."
  php_exchange "$TMPDIR/php-source"
}

php_compile() (
  cd "$1" || exit
  ./configure --prefix="$HOME/$PHP_FOLDER" "${PHP_CONFIGURE[@]}" && make -j"$(nproc)"
)

# php_exchange SOURCE: puts what was compiled in the place of the packages' PHP.
php_exchange() {
  local source=$1 conf=$PHP_HOME/etc/php/conf.d
  install "$source/sapi/cli/php" "$PHP_HOME/bin/php"
  install "$source/sapi/fpm/php-fpm" "$PHP_HOME/sbin/php-fpm"
  strip "$PHP_HOME/bin/php" "$PHP_HOME/sbin/php-fpm" || true # half of them are symbols
  cp "$source/php.ini-production" "$PHP_HOME/etc/php/php.ini"
  rm -rf "$PHP_HOME"/lib/extensions/*
  find "$conf" -name '*.ini' ! -name 00-platform.ini -delete
  if [[ -f $source/modules/opcache.so ]]; then
    install "$source/modules/opcache.so" "$PHP_HOME/lib/extensions/"
    printf 'zend_extension=opcache.so\n' >"$conf/10-opcache.ini"
  fi
  rm -rf "$source"
}
