# shellcheck shell=bash
# nginx in front of PHP-FPM. The upstream is called heroku-fcgi, the name that apps' own
# configuration files use.

# shellcheck disable=SC2034  # read by common.sh
readonly SERVER_QUIT=QUIT

setsid_server() {
  exec setsid nginx -p "$RUN" -e stderr -c "$RUN/nginx.conf" -g 'daemon off;'
}

test_server() {
  nginx -t -p "$RUN" -e stderr -c "$RUN/nginx.conf"
}

write_server_config() {
  if [[ -n $SERVER_CONFIG ]]; then
    cat "$SERVER_CONFIG"
    return
  fi
  write_http_section
}

write_http_section() {
  cat <<CONF
pid $RUN/nginx.pid;
worker_processes ${NGINX_WORKERS:-2};
error_log stderr warn;
events { worker_connections 1024; }
http {
  include $BOOT/../etc/nginx/mime.types;
  default_type application/octet-stream;
  log_format app '\$http_x_forwarded_for "\$request" \$status \$body_bytes_sent \$request_time';
  access_log /proc/self/fd/1 app;
  client_body_temp_path $RUN/body;
  proxy_temp_path $RUN/proxy;
  fastcgi_temp_path $RUN/fastcgi;
  uwsgi_temp_path $RUN/uwsgi;
  scgi_temp_path $RUN/scgi;
  sendfile on;
  server_tokens off;
  client_max_body_size 0;
  absolute_redirect off;
  fastcgi_buffers 256 4k;
  fastcgi_read_timeout 3600;
  map \$http_x_forwarded_proto \$forwarded_https { default ""; https on; }
  upstream heroku-fcgi { server unix:$RUN/php-fpm.sock; }
  server {
    listen $PORT;
    server_name localhost;
    root "$DOCUMENT_ROOT";
$(write_locations)
  }
}
CONF
}

# write_locations: @heroku-fcgi, fastcgi_params and mime.types are for configuration of apps.
write_locations() {
  if [[ -n $SERVER_INCLUDE ]]; then
    printf '    include "%s";\n' "$SERVER_INCLUDE"
  else
    printf '    location / { index index.php index.html index.htm; }\n'
  fi
  hide_own_files
  cat <<'CONF'
    location ~ /\.(?!well-known) { deny all; }
    location @heroku-fcgi {
      include fastcgi.conf;
      if (!-f $document_root$fastcgi_script_name) { return 404; }
      fastcgi_pass heroku-fcgi;
    }
    location ~ ^.+\.php(/|$) {
      try_files $fastcgi_script_name =404;
      include fastcgi.conf;
      fastcgi_pass heroku-fcgi;
    }
CONF
  write_fastcgi >"$RUN/fastcgi.conf"
  write_parameters >"$RUN/fastcgi_params"
  ln -sf "$BOOT/../etc/nginx/mime.types" "$RUN/mime.types"
}

# hide_own_files: what Heroku hides where the app itself is the document root.
hide_own_files() {
  local folder
  [[ $DOCUMENT_ROOT == "$HOME" ]] || return 0
  printf '    location ~ "^/(composer\\.(json|lock|phar)|Procfile)$" { deny all; }\n'
  private_folders | while read -r folder; do
    printf '    location ~ "^/%s/" { deny all; }\n' "${folder//./\\.}"
  done
}

write_fastcgi() {
  cat <<'CONF'
fastcgi_split_path_info ^(.+?\.php)(/.*)$;
set $path_info $fastcgi_path_info;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
fastcgi_param PATH_INFO $path_info;
CONF
  write_parameters
}

write_parameters() {
  cat <<'CONF'
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_SCHEME $scheme;
fastcgi_param HTTPS $forwarded_https if_not_empty;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $host;
fastcgi_param REDIRECT_STATUS 200;
fastcgi_param HTTP_PROXY "";
CONF
}
