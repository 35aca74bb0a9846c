# shellcheck shell=bash
# Decides which Ruby an app gets. Gemfile.lock counts first, then the Gemfile, then what the app was
# built with last time, then the newest that the source has.
# shellcheck disable=SC2034  # RUBY_MADE is for runtime.sh

# wanted_ruby: the requirement as "CLAUSE,CLAUSE"; empty when the app does not care.
wanted_ruby() {
  local locked
  locked=$(locked_ruby)
  if [[ -n $locked ]]; then
    printf '%s\n' "$locked"
  else
    gemfile_ruby
  fi
}

# refuse_other_engines: JRuby and TruffleRuby are not offered.
refuse_other_engines() {
  local engine
  engine=$(locked_engine)
  [[ -z $engine ]] || fail "Gemfile.lock asks for $engine; this buildpack offers MRI Ruby only." \
    "Remove 'engine:' from the Gemfile and run 'bundle lock', or use a buildpack for that engine."
}

# ruby_requirement WANTED: that, else the line of the last build, else anything.
ruby_requirement() {
  local sticky
  sticky=$(cached_value ruby-version)
  if [[ -z $1 && -n $sticky ]]; then
    version_line "$sticky" 2
  else
    printf '%s' "${1:->= 0}"
  fi
}

# choose_ruby WANTED VERSIONS: sets RUBY_CHOICE to the version to use. Of a line whose patch level
# the source does not have, its own release is taken, with a warning.
choose_ruby() {
  local wanted versions=$2 line
  wanted=$(ruby_requirement "$1")
  RUBY_CHOICE=$(newest_fitting "$wanted" <<<"$versions")
  [[ -z $RUBY_CHOICE ]] || return 0
  line=$(first_number "$wanted")
  [[ -n $line ]] || no_such_ruby "$wanted" "$versions"
  RUBY_CHOICE=$(version_newest "$(version_line "$line" 2)" <<<"$versions")
  [[ -n $RUBY_CHOICE ]] || no_such_ruby "$wanted" "$versions"
  nearest_version Ruby "$line" 2 "$RUBY_CHOICE"
}

# choose_packaged_ruby WANTED: the same of the distribution's suites, whose index is fetched only when
# the line may do, then of what the platform made, and then RUBY_MADE says so.
choose_packaged_ruby() {
  local wanted line lines made
  wanted=$(ruby_requirement "$1")
  lines=$(packaged_ruby_lines)
  RUBY_MADE=
  while read -r line; do
    if version_fits_all "$line.0" "$wanted" || version_fits_all "$line.999" "$wanted"; then
      RUBY_CHOICE=$(packaged_ruby "$line")
      [[ -z $RUBY_CHOICE ]] || ! version_fits_all "$RUBY_CHOICE" "$wanted" || return 0
    fi
  done <<<"$lines"
  made=$(platform_runtimes ruby)
  line=$(version_line "$(first_number "$wanted")" 2)
  if [[ -n $(newest_fitting "$wanted" <<<"$made") ]] || ! grep -qxF -- "$line" <<<"$lines"; then
    [[ -n $(version_newest "$line" <<<"$made") ]] || no_such_ruby "$wanted" "$lines"$'\n'"$made"
    RUBY_MADE=1
    choose_ruby "$wanted" "$made"
  else
    choose_ruby "$wanted" "$(packaged_ruby "$line")"
  fi
}

first_number() {
  grep -oE '[0-9]+(\.[0-9]+)*' <<<"$1" | sed -n 1p || true
}

no_such_ruby() {
  local available
  available=$(grep . <<<"$2" | version_list)
  fail "Ruby $1 is not available from the source '$RUBY_SOURCE' for the stack $STACK." \
    "Available are: ${available:-none}." \
    "Write one of them in the Gemfile (ruby \"~> ${available##*, }\"), run 'bundle lock' and commit" \
    "Gemfile.lock; or have an administrator make it: haikube runtimes add ruby $(first_number "$1");" \
    "or set BUILDPACK_RUBY_SOURCE to a source that has it (upstream, deb or a URL)."
}

# allow_ruby VERSION: Bundler insists on the exact version that a Gemfile names. Where the stack has
# another patch level of that line, the copy of the Gemfile in the build says so. "3.3" is a line to those
# who write it, and 3.3.0 to Bundler.
allow_ruby() {
  local wanted file
  wanted=$(gemfile_ruby)
  if [[ -z $wanted ]] || { [[ ! $wanted =~ ^=?[[:space:]]*[0-9]+(\.[0-9]+)?$ ]] && version_fits_all "$1" "$wanted"; }; then
    return
  fi
  file=$(gemfile_ruby_file)
  if [[ -n $file ]]; then
    printf '%s\n' "$1" >"$BUILD_DIR/$file"
  else
    sed -i -E "s/^([[:space:]]*ruby[[:space:](]+)[\"'](= *)?[0-9][^\"']*[\"']/\1\"~> $(version_line "$1" 2).0\"/" \
      "$BUILD_DIR/Gemfile"
  fi
}
