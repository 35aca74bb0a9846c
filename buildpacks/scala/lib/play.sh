# shellcheck shell=bash
# What a Play app needs to know before it starts on a dyno.

# remark_play_secret: in production Play ends at once unless it has a secret of its own.
remark_play_secret() {
  is_play_app || return 0
  ! names_secret "$BUILD_DIR/conf/application.conf" || return 0
  ! grep -qs 'play\.http\.secret\.key' "$BUILD_DIR/Procfile" || return 0
  # shellcheck disable=SC2016  # ${?PLAY_SECRET} is the configuration's own syntax
  warn "Play does not start in production without a secret, and conf/application.conf has none." \
    'Add the line play.http.secret.key = ${?PLAY_SECRET} to it,' \
    "and set the config var PLAY_SECRET to a random text of 32 characters or more."
}

# names_secret FILE: "changeme" is what Play itself has for a secret, and refuses in production.
names_secret() {
  grep -sE '^[^#]*secret(\.key[[:space:]]*[=:]|[[:space:]]*\{)' "$1" | grep -vi '"changeme"' >/dev/null
}

is_play_app() {
  grep -qsE '"(org\.playframework|com\.typesafe\.play)"[[:space:]]*%[[:space:]]*"sbt-plugin"' "$BUILD_DIR"/project/*.sbt
}
