# shellcheck shell=bash
# What of static.json needs the dyno's environment: proxies, the one host name, a password. The build leaves
# files beside this one, and this writes lines for nginx. It prints no value of a variable.

die() {
  printf 'static: %s\n' "$*" >&2
  exit 1
}

# with_environment TEXT: each ${NAME} in it replaced by the variable; what a variable holds is not looked at.
with_environment() {
  local rest=$1 name text=
  while [[ $rest =~ ^([^$]*)\$\{([A-Za-z_][A-Za-z0-9_]*)\}(.*)$ ]]; do
    name=${BASH_REMATCH[2]} rest=${BASH_REMATCH[3]} text+=${BASH_REMATCH[1]}
    text+=${!name-}
  done
  printf '%s' "$text$rest"
}

# write_dynamic SITE RUN: the lines; files that they name go to RUN.
write_dynamic() {
  [[ ! -f $1/basic_auth ]] || write_password "$2"
  [[ ! -f $1/canonical_host ]] || write_canonical_host "$(<"$1/canonical_host")"
  [[ ! -s $1/proxies ]] || write_proxies <"$1/proxies"
}

write_password() {
  local user=${BASIC_AUTH_USERNAME-} password=${BASIC_AUTH_PASSWORD-}
  [[ -n $user && -n $password && $user != *:* && $user$password != *$'\n'* ]] ||
    die "static.json asks for a password (basic_auth): set the config vars BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD"
  (umask 077 && printf '%s:{PLAIN}%s\n' "$user" "$password" >"$1/users")
  printf 'auth_basic "Restricted";\nauth_basic_user_file "%s/users";\n' "$1"
}

# write_canonical_host TEXT
write_canonical_host() {
  local host
  host=$(with_environment "$1")
  [[ $host =~ ^[A-Za-z0-9.:-]+$ ]] || die "the canonical_host '$1' of static.json is no host name in this dyno"
  cat <<CONF
set \$canonical_scheme \$scheme;
if (\$http_x_forwarded_proto) { set \$canonical_scheme \$http_x_forwarded_proto; }
if (\$http_host != "$host") { return 301 \$canonical_scheme://$host\$request_uri; }
CONF
}

# write_proxies: of lines "path<tab>origin". nginx asks for the address each time: it may change.
write_proxies() {
  local path origin target base
  printf 'resolver %s valid=30s ipv6=off;\n' "$(name_servers)"
  while IFS=$'\t' read -r path origin; do
    target=$(with_environment "$origin")
    [[ $target =~ ^(https?://[][A-Za-z0-9._:-]+)(/[A-Za-z0-9._~/%+,=:@-]*)?$ ]] ||
      die "the proxy of static.json for $path leads to '$origin', which is no http or https address in this dyno"
    target=${BASH_REMATCH[1]} base=${BASH_REMATCH[2]%/}
    cat <<CONF
location ^~ "$path" {
  set \$origin "$target";
  rewrite "^${path//./\\.}(.*)\$" "$base/\$1" break;
  proxy_pass \$origin;
  proxy_http_version 1.1;
  proxy_ssl_server_name on;
  proxy_redirect "$target$base/" "$path";
  client_max_body_size 0;
}
CONF
  done
}

name_servers() {
  local found
  found=$(sed -nE 's/^nameserver[[:space:]]+([0-9a-fA-F.:]+).*/\1/p' /etc/resolv.conf | sed 's/.*:.*/[&]/' | paste -sd ' ')
  printf '%s' "${found:-127.0.0.1}"
}
