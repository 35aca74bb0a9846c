# shellcheck shell=bash
# The environment of a PHP dyno and the programs that start its web server.

write_boot_scripts() {
  local scripts
  scripts=$BUILD_DIR/$(bin_folder)
  topic "Preparing runtime environment"
  mkdir -p "$PHP_HOME/boot" "$scripts"
  cp -a "$BUILDPACK_DIR/boot/." "$PHP_HOME/boot/"
  printf '%s\n' "$(vendor_folder)" "$(bin_folder)" >"$PHP_HOME/boot/private"
  for server in nginx apache2; do
    ln -sf "../boot/heroku-php-$server" "$PHP_HOME/bin/heroku-php-$server"
    if [[ ! -e $scripts/heroku-php-$server ]]; then
      ln -s "$(realpath --relative-to="$scripts" "$PHP_HOME")/bin/heroku-php-$server" "$scripts/heroku-php-$server"
    fi
  done
}

write_php_profile() {
  profile_memory
  cp "$BUILDPACK_DIR/profile/memory.sh" "$BUILD_DIR/.profile.d/php-memory.sh"
  profile_path php "$(bin_folder)"
  profile_path php "$PHP_FOLDER/sbin"
  profile_path php "$PHP_FOLDER/bin"
  profile_default php PHPRC "\$HOME/$PHP_FOLDER/etc/php"
  profile_set php PHP_INI_SCAN_DIR "\$($(scan_dirs "\$HOME/$PHP_FOLDER/etc/php/conf.d"))"
  profile_set php LD_LIBRARY_PATH "\$HOME/$PHP_FOLDER/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
}

# scan_dirs OURS: commands that print where PHP looks for settings. A config var may name folders;
# an empty one among them (":/app/ini") stands for ours, as PHP itself has it.
scan_dirs() {
  # shellcheck disable=SC2016  # the variables are the dyno's
  printf '%s' 's=:${PHP_INI_SCAN_DIR-}:; while [[ $s == *::* ]]; do s=${s/::/:' "$1" \
    ':}; done; s=${s#:}; printf %s "${s%:}"'
}

# leave_runtime_only: Composer belongs to the build; the cache keeps it for the next one.
leave_runtime_only() {
  rm -rf "$PHP_HOME/share/php" "$PHP_HOME/bin/composer"
  sed -i '/^include_path/d' "$PHP_HOME/etc/php/conf.d/00-platform.ini"
  rmdir "$BUILD_DIR/$(bin_folder)" 2>/dev/null || true
}
