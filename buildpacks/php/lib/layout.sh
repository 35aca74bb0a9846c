# shellcheck shell=bash
# Lays unpacked Debian packages out as one folder that runs from anywhere: bin, sbin, lib, etc, share.

# shellcheck source-path=SCRIPTDIR source=../../lib/nginx.sh
source "$HAIKUBE_LIB/nginx.sh"

# lay_out_php STAGED LINE TARGET
lay_out_php() {
  local staged=$1 line=$2 target=$3 machine
  machine=$(gcc -print-multiarch)
  mkdir -p "$target"/{bin,sbin,lib,share,etc/php/conf.d}
  mv "$staged/usr/bin/php$line" "$target/bin/php"
  mv "$staged/usr/sbin/php-fpm$line" "$target/sbin/php-fpm"
  mv "$staged/usr/sbin/"{nginx,apache2} "$target/sbin/"
  mv "$staged/usr/lib/apache2/modules" "$target/lib/apache2-modules"
  mv "$staged"/usr/lib/php/20* "$target/lib/extensions"
  cp -a "$staged/usr/lib/$machine/." "$target/lib/"
  mkdir -p "$target/etc/nginx"
  nginx_types "$staged/etc/nginx/mime.types" "$target/etc/nginx/mime.types"
  lay_out_settings "$staged" "$line" "$target"
  lay_out_composer "$staged" "$target"
}

# Extensions are enabled by a file each; "; priority=20" inside gives their order.
lay_out_settings() {
  local staged=$1 line=$2 conf=$3/etc/php/conf.d ini priority
  cp "$staged/usr/lib/php/$line/php.ini-production" "$3/etc/php/php.ini"
  for ini in "$staged"/usr/share/php"$line"-*/*/*.ini; do
    priority=$(sed -nE 's/^; *priority=([0-9]+).*/\1/p' "$ini")
    cp "$ini" "$conf/${priority:-20}-${ini##*/}"
  done
  platform_settings "$line" >"$conf/00-platform.ini"
}

# platform_settings LINE: what apps count on from Heroku. Config vars are in $_ENV too; the files of a
# slug do not change, so nobody looks whether they have.
platform_settings() {
  cat <<INI
; The platform's defaults. An app overrides them in .user.ini, or by its own file: -i of the boot scripts.
extension_dir = "$HOME/$PHP_FOLDER/lib/extensions"
date.timezone = UTC
expose_php = Off
error_log =
log_errors = On
html_errors = Off
cgi.fix_pathinfo = 1
sys_temp_dir = /tmp
session.save_path = /tmp
upload_tmp_dir = /tmp
variables_order = EGPCS
user_ini.cache_ttl = 86400
opcache.validate_timestamps = 0
opcache.interned_strings_buffer = 16
opcache.max_accelerated_files = 32531
INI
  if version_at_least "$1" 8.4; then
    echo "error_reporting = E_ALL"
  else
    echo "error_reporting = E_ALL & ~E_STRICT"
  fi
  version_at_least "$1" 8.5 || echo "short_open_tag = On"
}

# Composer's libraries know themselves below /usr/share/php.
lay_out_composer() {
  local staged=$1 target=$2
  mv "$staged/usr/share/php" "$target/share/php"
  mv "$staged/usr/bin/composer" "$target/bin/composer"
  rm -rf "$target"/share/php/{tests,doc}
  sed -i '1s,^#!.*,#!/usr/bin/env php,' "$target/bin/composer"
  { grep -rlF /usr/share/php "$target/share/php" "$target/bin/composer" || true; } |
    xargs --no-run-if-empty sed -i "s,/usr/share/php,$HOME/$PHP_FOLDER/share/php,g"
  if [[ -d $staged/usr/share/misc ]]; then
    cp -a "$staged/usr/share/misc" "$target/share/misc"
  fi
  printf 'include_path = ".:%s"\n' "$HOME/$PHP_FOLDER/share/php" >>"$target/etc/php/conf.d/00-platform.ini"
}
