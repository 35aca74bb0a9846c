# shellcheck shell=bash
# Reads composer.json and composer.lock (COMPOSER names another file). It changes neither,
# but for a composer.json without a byte.

manifest() {
  printf '%s' "$BUILD_DIR/${COMPOSER:-composer.json}"
}

lock_file() {
  local path
  path=$(manifest)
  printf '%s' "${path%.json}.lock"
}

# check_manifest: both files are JSON, and whoever has dependencies pins them.
check_manifest() {
  local path
  mend_empty_manifest
  for path in "$(manifest)" "$(lock_file)"; do
    [[ -f $path ]] || continue
    jq -e 'type == "object"' "$path" >/dev/null 2>&1 ||
      fail "${path##*/} is not valid JSON: $(jq . "$path" 2>&1 >/dev/null | sed -n 1p)" \
        "Check it with 'composer validate'."
  done
  if has_dependencies && [[ ! -f $(lock_file) ]] && ! has_vendored_packages; then
    fail "There is a composer.json with dependencies, but no composer.lock." \
      "It pins them, so that a build is the same every time. Make it and commit it:" \
      "    composer update" \
      "    git add composer.lock && git commit -m 'Lock the packages'" \
      "If git ignores it, remove that line from .gitignore."
  fi
}

# mend_empty_manifest: who only wants to be known as PHP often makes an empty file, which is no JSON.
mend_empty_manifest() {
  [[ -f $(manifest) ]] && ! grep -q '[^[:space:]]' "$(manifest)" || return 0
  warn "$(basename "$(manifest)") is empty, which is no JSON: it is read as {}." \
    "Write at least {} into it and commit it."
  echo '{}' >"$(manifest)"
}

# manifest_value FILTER FILE: a value by its jq path, empty when there is none.
manifest_value() {
  if [[ -f $2 ]]; then
    jq -r "$1 // empty" "$2"
  fi
}

# has_dependencies: tells whether the app requires packages, not just PHP and its extensions.
has_dependencies() {
  [[ -f $(manifest) ]] &&
    jq -e '.require // {} | keys | map(select(test("/"))) | length > 0' "$(manifest)" >/dev/null
}

# has_vendored_packages: the source brings its vendor folder, as release archives of apps do.
has_vendored_packages() {
  [[ -f $BUILD_DIR/$(vendor_folder)/autoload.php ]]
}

vendor_folder() {
  manifest_value '.config["vendor-dir"]' "$(manifest)" | grep . || printf 'vendor'
}

bin_folder() {
  manifest_value '.config["bin-dir"]' "$(manifest)" | grep . || printf '%s/bin' "$(vendor_folder)"
}

# php_constraints: what the app and its locked packages ask of PHP, one constraint a line.
php_constraints() {
  {
    manifest_value '.require.php' "$(manifest)"
    manifest_value '.packages[]?.require?.php' "$(lock_file)"
  } | sort -u
}

# required_extensions: the ext-… of the app and its locked packages, one name a line.
required_extensions() {
  local names='(.require // {}), (.packages // [] | .[].require // {}) | keys[] | ascii_downcase |
    select(startswith("ext-")) | ltrimstr("ext-")'
  {
    manifest_value "$names" "$(manifest)"
    manifest_value "$names" "$(lock_file)"
  } | sed 's/^zend-opcache$/opcache/' | sort -u
}

# provided_extensions: those that a locked package stands in for, as polyfills do.
provided_extensions() {
  manifest_value '.packages[]? | (.provide // {}), (.replace // {}) | keys[] |
    select(startswith("ext-")) | ltrimstr("ext-")' "$(lock_file)" | sort -u
}
