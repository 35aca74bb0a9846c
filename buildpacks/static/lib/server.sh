# shellcheck shell=bash
# nginx below .heroku/static, and its configuration. The port is filled in when a dyno starts.

readonly SITE_FOLDER=.heroku/static

# shellcheck source-path=SCRIPTDIR source=../../lib/nginx.sh
source "$HAIKUBE_LIB/nginx.sh"

# install_nginx: without what its package drags along; the run image has the libraries it links to.
install_nginx() {
  local key target=$BUILD_DIR/$SITE_FOLDER staged=$TMPDIR/nginx
  runtime_source static deb deb >/dev/null
  key=$(cache_key 2 "$STACK" "$(date +%G-%V)")
  if cache_get static/nginx "$key" "$target"; then
    topic "Using nginx from the cache"
    return
  fi
  topic "Installing nginx from the packages of $STACK"
  apt_unpack_alone "$staged" nginx nginx-common ||
    fail "The package nginx could not be fetched (see above)." "Try again."
  mkdir -p "$target"
  mv "$staged/usr/sbin/nginx" "$target/"
  nginx_types "$staged/etc/nginx/mime.types" "$target/mime.types"
  rm -rf "$staged"
  cache_put static/nginx "$key" "$target"
}

site_part() {
  settings | jq -r --arg part "$1" -f "$BUILDPACK_DIR/lib/site.jq"
}

write_configuration() {
  local root
  root=$(site_root)
  topic "Serving ${root/#./the app\'s folder}"
  {
    cat "$BUILDPACK_DIR/lib/nginx.conf"
    site_part maps
    printf 'server {\nlisten {PORT};\nroot "{HOME}/%s";\n' "$root"
    printf 'location ~ /\\.(?!well-known) { return 404; }\n'
    printf 'location ~ "^/(static\\.json|Procfile|bin/boot)$" { return 404; }\n'
    printf 'include {RUN}/dynamic.conf;\n'
    site_part server
    printf '}\n}\n'
  } >"$BUILD_DIR/$SITE_FOLDER/nginx.conf"
  write_for_dynos "$BUILD_DIR/$SITE_FOLDER"
  check_configuration
}

# A mistake in static.json must end the build, not the dyno.
check_configuration() {
  local place=$TMPDIR/nginx-check
  mkdir -p "$place"
  : >"$place/dynamic.conf"
  sed -e "s,{PORT},unix:$place/socket," -e "s,{HOME},$BUILD_DIR," -e "s,{RUN},$place," \
    -e "s,{SITE},$BUILD_DIR/$SITE_FOLDER," "$BUILD_DIR/$SITE_FOLDER/nginx.conf" >"$place/nginx.conf"
  quietly "$BUILD_DIR/$SITE_FOLDER/nginx" -t -q -p "$place" -e stderr -c "$place/nginx.conf" ||
    fail "nginx does not take the configuration made from static.json (see above)." \
      "Check the paths and values of its routes, redirects and headers."
}

write_boot_script() {
  require_folders bin
  mkdir -p "$BUILD_DIR/bin"
  if [[ -e $BUILD_DIR/bin/boot ]]; then
    warn "The app has a bin/boot of its own: it is kept, and should start .heroku/static/boot."
  else
    ln -s "../$SITE_FOLDER/boot" "$BUILD_DIR/bin/boot"
  fi
  cp "$BUILDPACK_DIR/boot/boot" "$BUILDPACK_DIR/boot/dynamic.sh" "$BUILD_DIR/$SITE_FOLDER/"
}
