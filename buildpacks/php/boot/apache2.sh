# shellcheck shell=bash
# Apache in front of PHP-FPM, with .htaccess files and the modules that apps' rules ask for.

# shellcheck disable=SC2034  # read by common.sh
readonly SERVER_QUIT=WINCH
readonly MODULES=(mpm_event authn_core authn_file authz_core authz_host authz_user auth_basic
  access_compat alias autoindex deflate dir env expires filter headers mime negotiation
  proxy proxy_fcgi rewrite setenvif)

setsid_server() {
  exec setsid apache2 -d "$RUN" -f "$RUN/apache2.conf" -D FOREGROUND
}

test_server() {
  apache2 -t -d "$RUN" -f "$RUN/apache2.conf"
}

write_server_config() {
  if [[ -n $SERVER_CONFIG ]]; then
    cat "$SERVER_CONFIG"
    return
  fi
  write_modules
  write_main_section
  write_site
}

write_modules() {
  local module
  for module in "${MODULES[@]}"; do
    printf 'LoadModule %s_module "%s"\n' "$module" "$(realpath "$BOOT/../lib/apache2-modules/mod_$module.so")"
  done
}

write_main_section() {
  cat <<CONF
ServerName localhost
Listen $PORT
PidFile "$RUN/apache2.pid"
Mutex pthread
TypesConfig /etc/mime.types
ErrorLog /proc/self/fd/2
LogLevel warn
LogFormat "%{X-Forwarded-For}i \"%r\" %>s %b %D" app
CustomLog /proc/self/fd/1 app
ServerTokens Prod
TraceEnable off
Timeout 3600
KeepAliveTimeout 90
AcceptFilter http none
SetEnvIfNoCase X-Forwarded-Proto https HTTPS=on
RequestHeader unset Proxy early
CONF
}

# write_proxy: PHP by the name that apps' own configuration may use, fcgi://heroku-fcgi. No connection to it
# is kept: one that rests would keep a worker of PHP from requests.
write_proxy() {
  cat <<CONF
Define heroku-fcgi unix:$RUN/php-fpm.sock|fcgi://heroku-fcgi
<Proxy "unix:$RUN/php-fpm.sock|fcgi://heroku-fcgi">
  ProxySet enablereuse=off
</Proxy>
SetEnvIfNoCase ^Authorization$ "(.+)" HTTP_AUTHORIZATION=\$1
CONF
}

# hide_own_files: what Heroku hides where the app itself is the document root.
hide_own_files() {
  local folder
  [[ $DOCUMENT_ROOT == "$HOME" ]] || return 0
  printf '<Directory "%s">\n<FilesMatch "^(composer\\.(json|lock|phar)|Procfile)$">\nRequire all denied\n</FilesMatch>\n</Directory>\n' "$HOME"
  private_folders | while read -r folder; do
    printf '<Directory "%s/%s">\nAllowOverride None\nRequire all denied\n</Directory>\n' "$HOME" "$folder"
  done
}

write_site() {
  write_proxy
  cat <<CONF
DocumentRoot "$DOCUMENT_ROOT"
DirectoryIndex index.php index.html index.htm
<Directory />
  Require all denied
</Directory>
<Directory "$HOME">
  Options FollowSymLinks
  AllowOverride All
  Require all granted
</Directory>
<FilesMatch "^\.(?!well-known)">
  Require all denied
</FilesMatch>
<FilesMatch "\.php$">
  <If "-f %{REQUEST_FILENAME}">
    SetHandler "proxy:unix:$RUN/php-fpm.sock|fcgi://heroku-fcgi"
  </If>
</FilesMatch>
ProxyFCGIBackendType FPM
$(hide_own_files)
${SERVER_INCLUDE:+Include "$SERVER_INCLUDE"}
CONF
}
