# shellcheck shell=bash
# A proxy that a config var names, and that does not answer: whatever a build fetches for the app then
# fails, and each tool words it as if the package or the version did not exist.

readonly PROXY_VARS='^((https?|all)_proxy|(HTTPS?|ALL)_PROXY|npm_config_(https_)?proxy|PIP_PROXY|YARN_HTTPS?_PROXY)$'

# remark_proxies: says which config vars name a proxy that does not answer. No word of its password.
remark_proxies() {
  local file address
  for file in "${ENV_DIR:-/nonexistent}"/*; do
    [[ ${file##*/} =~ $PROXY_VARS && -s $file ]] || continue
    address=$(proxy_address "$(<"$file")")
    [[ -z $address ]] || answers "${address% *}" "${address#* }" ||
      warn "The config var ${file##*/} names the proxy ${address/ /:}, which does not answer from here." \
        "What the build fetches for the app goes through it. Correct the address, or remove the variable:" \
        "heroku config:unset ${file##*/}"
  done
}

# proxy_address URL: "host port" of a proxy, as curl reads it; nothing when it is none.
proxy_address() {
  local pattern='^(([a-z0-9]+)://)?([^@/]*@)?(\[([0-9a-fA-F:.]+)\]|([^]:/@[:space:]]+))(:([0-9]+))?/?$' port=1080
  [[ $1 =~ $pattern ]] || return 0
  case ${BASH_REMATCH[2]} in
  http) port=80 ;;
  https) port=443 ;;
  esac
  printf '%s %s' "${BASH_REMATCH[5]}${BASH_REMATCH[6]}" "${BASH_REMATCH[8]:-$port}"
}

# answers HOST PORT: tells whether something listens there.
answers() {
  # shellcheck disable=SC2016  # for the inner shell
  timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}
