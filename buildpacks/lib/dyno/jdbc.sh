# shellcheck shell=bash
# JDBC URLs from DATABASE_URL and HEROKU_POSTGRESQL_*_URL, since Java's drivers do not read those.
# What is set already stays as it is. TLS is asked for unless CI=true or the URL says otherwise.

haikube_unescape() {
  local text=${1//+/ }
  printf '%b' "${text//%/\\x}"
}

# haikube_jdbc PREFIX URL: sets PREFIX_URL, PREFIX_USERNAME and PREFIX_PASSWORD.
haikube_jdbc() {
  local pattern='^(postgres|postgresql|mysql)://(([^:@/]*)(:([^@/]*))?@)?([^/?]+)/([^?]*)(\?(.*))?$'
  local scheme query
  [[ $2 =~ $pattern ]] || return 0
  scheme=${BASH_REMATCH[1]/#postgres/postgresql}
  scheme=${scheme/postgresqlql/postgresql}
  query=${BASH_REMATCH[9]}
  if [[ -n ${BASH_REMATCH[3]} ]]; then
    query+="${query:+&}user=${BASH_REMATCH[3]}&password=${BASH_REMATCH[5]}"
  fi
  if [[ $scheme == postgresql && $query != *sslmode=* && ${CI:-} != true ]]; then
    query+="${query:+&}sslmode=require"
  fi
  export "$1_URL=jdbc:$scheme://${BASH_REMATCH[6]}/${BASH_REMATCH[7]}${query:+?$query}"
  export "$1_USERNAME=$(haikube_unescape "${BASH_REMATCH[3]}")"
  export "$1_PASSWORD=$(haikube_unescape "${BASH_REMATCH[5]}")"
}

if [[ -n ${DATABASE_CONNECTION_POOL_URL:-} ]]; then
  haikube_jdbc DATABASE_CONNECTION_POOL_JDBC "$DATABASE_CONNECTION_POOL_URL"
fi
# The pool of a database comes before the database, and that before those of add-ons of MySQL.
for haikube_name in ${DATABASE_URL:+DATABASE_CONNECTION_POOL_URL} DATABASE_URL JAWSDB_URL JAWSDB_MARIA_URL \
  CLEARDB_DATABASE_URL; do
  if [[ -n ${!haikube_name:-} && -z ${JDBC_DATABASE_URL:-} ]]; then
    haikube_jdbc JDBC_DATABASE "${!haikube_name}"
  fi
done
# Who sets one of the three means another database: a name of this one would not fit.
if [[ -n ${JDBC_DATABASE_URL:-} && ${DISABLE_SPRING_DATASOURCE_URL:-} != true && \
  -z ${SPRING_DATASOURCE_URL:-}${SPRING_DATASOURCE_USERNAME:-}${SPRING_DATASOURCE_PASSWORD:-} ]]; then
  export SPRING_DATASOURCE_URL="$JDBC_DATABASE_URL"
  export SPRING_DATASOURCE_USERNAME="${JDBC_DATABASE_USERNAME:-}"
  export SPRING_DATASOURCE_PASSWORD="${JDBC_DATABASE_PASSWORD:-}"
fi
for haikube_name in ${!HEROKU_POSTGRESQL_*}; do
  if [[ $haikube_name == *_URL && $haikube_name != *_JDBC_URL ]]; then
    haikube_jdbc "${haikube_name%_URL}_JDBC" "${!haikube_name}"
  fi
done
if [[ -n ${REDIS_URL:-} && ${DISABLE_SPRING_REDIS_URL:-} != true ]]; then
  export SPRING_REDIS_URL="${SPRING_REDIS_URL:-$REDIS_URL}"
  export SPRING_DATA_REDIS_URL="${SPRING_DATA_REDIS_URL:-$SPRING_REDIS_URL}" # its name since Spring Boot 3
fi
unset haikube_name
unset -f haikube_jdbc haikube_unescape
