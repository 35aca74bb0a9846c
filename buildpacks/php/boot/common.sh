# shellcheck shell=bash
# What both web servers have in common: options, the number of workers, PHP-FPM in front of the
# port, an orderly end. Everything written lies in a folder of its own below /tmp.

# The app's environment as it came: variables of these scripts may have the names of config vars.
mapfile -d '' APP_ENVIRONMENT </proc/self/environ

# shellcheck disable=SC2034  # read by nginx.sh and apache2.sh
SERVER_INCLUDE="" SERVER_CONFIG="" FPM_INCLUDE="" FPM_CONFIG="" INI_FILE="" TEST=""
LOG_FILES=() CHILDREN=()

usage() {
  cat <<TEXT
Usage: heroku-php-$SERVER [options] [document-root]

  -C FILE  lines for the server section of $SERVER, instead of the default ones
  -c FILE  the whole configuration of $SERVER
  -F FILE  lines for the pool of PHP-FPM, included last
  -f FILE  the whole configuration of PHP-FPM
  -i FILE  a php.ini that is read after the platform's
  -l FILE  a log file to show in the app's log; may be given several times
  -p PORT  the port to listen on (default: \$PORT)
  -t       look whether PHP-FPM and $SERVER take their configuration, and end
  -v       say more
  -h       this text

The number of PHP workers is \$WEB_CONCURRENCY, else the memory of the dyno by memory_limit of PHP.
TEXT
}

die() {
  printf 'heroku-php-%s: %s\n' "${SERVER:-}" "$*" >&2
  exit 1
}

say() {
  printf '%s\n' "$*" >&2
}

boot() {
  parse_options "$@"
  own_output
  RUN=$(mktemp -d /tmp/heroku-php.XXXXXX)
  choose_workers
  write_fpm_config >"$RUN/php-fpm.conf"
  write_server_config >"$RUN/$SERVER.conf"
  [[ -z $TEST ]] || test_configuration
  trap end_orderly TERM INT
  show_logs
  start_fpm
  start_server
  say "heroku-php-$SERVER: listening on port $PORT, document root ${DOCUMENT_ROOT#"$HOME"/}"
  watch_children
}

parse_options() {
  local option
  # shellcheck disable=SC2034  # read by nginx.sh and apache2.sh
  while getopts ":C:c:F:f:i:l:p:tvh" option; do
    case $option in
    C) SERVER_INCLUDE=$(existing "$OPTARG") ;;
    c) SERVER_CONFIG=$(existing "$OPTARG") ;;
    F) FPM_INCLUDE=$(existing "$OPTARG") ;;
    f) FPM_CONFIG=$(existing "$OPTARG") ;;
    i) INI_FILE=$(existing "$OPTARG") ;;
    l) LOG_FILES+=("$OPTARG") ;;
    p) PORT=$OPTARG ;;
    t) TEST=1 ;;
    v) set -x ;;
    h) usage && exit 0 ;;
    :) die "option -$OPTARG needs a value; see heroku-php-$SERVER -h" ;;
    *) die "there is no option -$OPTARG; see heroku-php-$SERVER -h" ;;
    esac
  done
  shift $((OPTIND - 1))
  (($# <= 1)) || die "one document root, not $#: $*"
  [[ -n ${PORT:-} ]] || die "PORT is not set: the platform sets it for the process type web; elsewhere say -p PORT"
  DOCUMENT_ROOT=$(cd "$HOME/${1:-}" 2>/dev/null && pwd) || die "the document root '${1:-}' is no folder of the app"
  export PORT DOCUMENT_ROOT HEROKU_APP_DIR=$HOME
}

# private_folders: those of Composer, which nobody is to see where the app itself is the document root.
private_folders() {
  [[ ! -f $BOOT/private ]] || cat "$BOOT/private"
}

# existing FILE: its path; one that ends in .php is a script that prints it, from the dyno's variables say.
existing() {
  local file
  [[ -f $1 ]] || die "there is no file '$1'"
  file=$(realpath -- "$1")
  if [[ $file == *.php ]]; then
    php "$file" >"${file%.php}" || die "the script '$1' ended with an error (see above)"
    file=${file%.php}
  fi
  printf '%s\n' "$file"
}

# PHP-FPM and Apache open their output anew, which only the owner of a pipe may. The pipes outlive
# the signal that ends the dyno.
own_output() {
  exec > >(trap '' TERM INT && exec cat) 2> >(trap '' TERM INT && exec cat >&2)
}

# test_configuration: what is wrong is said by the programs themselves.
test_configuration() {
  local code=0
  app_environment
  env -i "${APP_ENVIRONMENT[@]}" php-fpm --test --fpm-config "$RUN/php-fpm.conf" || code=$?
  test_server || code=$?
  rm -rf "$RUN"
  exit "$code"
}

# megabytes 128M: a size as PHP writes it; nothing for "no limit".
megabytes() {
  local number=${1%[KkMmGg]}
  [[ $number =~ ^[0-9]+$ ]] || return 0
  case $1 in
  *[Gg]) echo $((number * 1024)) ;;
  *[Mm]) echo "$number" ;;
  *[Kk]) echo $((number / 1024)) ;;
  *) echo $((number / 1048576)) ;;
  esac
}

# memory_limit: of the pool for good, of .user.ini in the document root, of the pool as a default, of
# php.ini; the first line is what PHP will have. The command line has settings of its own (php-cli.ini).
memory_limit() {
  local settings=()
  [[ ! -f ${PHPRC:-}/php.ini ]] || settings=(-c "$PHPRC/php.ini")
  limit_in "$FPM_INCLUDE" 'php_admin_value\[memory_limit\]'
  limit_in "$DOCUMENT_ROOT/.user.ini" memory_limit
  limit_in "$FPM_INCLUDE" 'php_value\[memory_limit\]'
  php "${settings[@]}" -r 'echo ini_get("memory_limit"), "\n";'
}

# limit_in FILE NAME
limit_in() {
  [[ ! -f $1 ]] || sed -nE "s/^[[:space:]]*$2[[:space:]]*=[[:space:]]*\"?([-0-9A-Za-z]+).*/\1/p" "$1"
}

choose_workers() {
  local limit memory=${MEMORY_AVAILABLE:-512}
  if [[ -z ${WEB_CONCURRENCY:-} ]]; then
    limit=$(megabytes "$(memory_limit | sed -n 1p)")
    WEB_CONCURRENCY=$((limit > 0 ? memory / limit : 1))
    ((WEB_CONCURRENCY > 0)) || WEB_CONCURRENCY=1
    say "heroku-php-$SERVER: $WEB_CONCURRENCY workers of ${limit:-unlimited} MB in $memory MB"
  fi
  export WEB_CONCURRENCY
}

write_fpm_config() {
  if [[ -n $FPM_CONFIG ]]; then
    cat "$FPM_CONFIG"
    return
  fi
  cat <<CONF
[global]
error_log = /proc/self/fd/2
log_limit = 65536
log_level = warning
daemonize = no

[www]
listen = $RUN/php-fpm.sock
listen.backlog = 1024
pm = static
pm.max_children = $WEB_CONCURRENCY
catch_workers_output = yes
decorate_workers_output = no
clear_env = no
${FPM_INCLUDE:+include = $FPM_INCLUDE}
CONF
}

show_logs() {
  local file
  for file in "${LOG_FILES[@]}"; do
    mkdir -p "$(dirname -- "$file")"
    touch "$file"
    setsid tail -qF -n 0 "$file" &
  done
}

# In sessions of their own, of which process 1 of a dyno is told: SIGTERM is for us, who pass it on as
# the signal that lets them finish. To them it means to cut off requests.
readonly ORDERLY=/tmp/.haikube-orderly

end_ourselves() {
  mkdir -p "$ORDERLY"
  : >"$ORDERLY/$1"
}

# app_environment: what the app finds beside its config vars.
app_environment() {
  if [[ -n $INI_FILE ]]; then
    mkdir "$RUN/ini"
    cp "$INI_FILE" "$RUN/ini/app.ini"
    APP_ENVIRONMENT+=("PHP_INI_SCAN_DIR=$PHP_INI_SCAN_DIR:$RUN/ini")
  fi
  APP_ENVIRONMENT+=("PORT=$PORT" "DOCUMENT_ROOT=$DOCUMENT_ROOT" "WEB_CONCURRENCY=$WEB_CONCURRENCY")
}

start_fpm() {
  app_environment
  setsid env -i "${APP_ENVIRONMENT[@]}" php-fpm --nodaemonize --fpm-config "$RUN/php-fpm.conf" &
  FPM=$!
  end_ourselves "$FPM"
  CHILDREN+=("$FPM")
  await_socket
}

await_socket() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    [[ ! -S $RUN/php-fpm.sock ]] || return 0
    kill -0 "$FPM" 2>/dev/null || die "PHP-FPM did not start (see above)"
    sleep 0.05
  done
  [[ -n $FPM_CONFIG ]] || die "PHP-FPM did not open its socket within 30 s"
}

start_server() {
  setsid_server &
  WEB=$!
  end_ourselves "$WEB"
  CHILDREN+=("$WEB")
}

watch_children() {
  local code=0
  wait -n "${CHILDREN[@]}" || code=$?
  die "PHP-FPM or $SERVER ended with code $code (see above)"
}

# The web server finishes its requests, then PHP-FPM has none left.
end_orderly() {
  trap '' TERM INT
  say "heroku-php-$SERVER: going down, waiting for requests to finish"
  if [[ -n ${WEB:-} ]]; then
    kill -s "$SERVER_QUIT" "$WEB" 2>/dev/null || true
    wait "$WEB" 2>/dev/null || true
  fi
  if [[ -n ${FPM:-} ]]; then
    kill -s QUIT "$FPM" 2>/dev/null || true
    wait "$FPM" 2>/dev/null || true
  fi
  rm -rf "$RUN" "$ORDERLY/${WEB:-0}" "$ORDERLY/${FPM:-0}"
  exit 0
}
