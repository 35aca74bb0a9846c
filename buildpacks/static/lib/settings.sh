# shellcheck shell=bash
# Reads static.json. An app without one is a folder of files.

readonly KNOWN_SETTINGS='["root","clean_urls","https_only","error_page","routes","redirects","headers","proxies","basic_auth","canonical_host"]'

# settings: static.json, or an empty object.
settings() {
  if [[ -f $BUILD_DIR/static.json ]]; then
    cat "$BUILD_DIR/static.json"
  else
    printf '{}'
  fi
}

check_settings() {
  local unknown
  settings | jq -e 'type == "object"' >/dev/null 2>&1 ||
    fail "static.json is not a JSON object: $(settings | jq . 2>&1 >/dev/null | sed -n 1p)" \
      'Write at least {"root": "public/"}.'
  unknown=$(settings | jq -r --argjson known "$KNOWN_SETTINGS" 'keys - $known | join(", ")')
  [[ -z $unknown ]] || warn "static.json has settings that are not known here and do nothing: $unknown." \
    "Known are: $(jq -r 'join(", ")' <<<"$KNOWN_SETTINGS")."
  check_characters
}

# What is not known does nothing, whatever it holds; what a dyno's variables are put into is looked at there.
readonly FOR_DYNOS='["proxies","canonical_host"]'

# nginx has no way to write a dollar sign or a line break in a value.
check_characters() {
  local wrong
  wrong=$(settings | jq -r --argjson known "$KNOWN_SETTINGS" --argjson dynos "$FOR_DYNOS" 'with_entries(select(.key | IN(($known - $dynos)[]))) | [paths(scalars) as $p | getpath($p) | strings, ($p[] | strings)] |
    map(select(test("[$\\n\\r]"))) | first // empty')
  [[ -z $wrong ]] || fail "static.json holds '$wrong': a \$ or a line break cannot be part of a value."
}

# write_for_dynos FOLDER: what the boot script needs of the settings, a file each.
write_for_dynos() {
  local wrong
  wrong=$(settings | jq -r '[.proxies // {} | to_entries[] | select(((.value | objects | .origin) // null | type) != "string" or
    (.key | test("^[A-Za-z0-9._~/-]+$") | not)) | .key] | first // empty')
  # shellcheck disable=SC2016  # what is to be written there
  [[ -z $wrong ]] || fail "The proxy '$wrong' of static.json is not understood." \
    'Write for example {"/api/": {"origin": "https://api.example.com/v1/"}}; ${NAME} in it is a variable of the dyno.'
  settings | jq -r '.proxies // {} | to_entries[] | [("/" + (.key | ltrimstr("/") | rtrimstr("/")) + "/"), .value.origin] | join("\t")' \
    >"$1/proxies"
  settings | jq -r '.canonical_host // empty | strings' >"$1/canonical_host"
  [[ -s $1/canonical_host ]] || rm "$1/canonical_host"
  [[ $(settings | jq -r '.basic_auth // false') == false ]] || : >"$1/basic_auth"
}

# site_root: the folder of the site, relative to the app, without a last slash.
site_root() {
  local root
  root=$(settings | jq -r '.root // empty')
  if [[ -z $root ]]; then
    root=$([[ -f $BUILD_DIR/public/index.html ]] && echo public || echo .)
  fi
  root=${root%/}
  [[ $root != /* && $root != *..* ]] ||
    fail "The root of static.json is '$root'; it must be a folder inside the app."
  [[ -d $BUILD_DIR/$root ]] ||
    fail "The root of static.json is '$root', but the app has no such folder." \
      "If it is built, let the buildpack that builds it come first: buildpacks nodejs, then static."
  printf '%s' "$root"
}
