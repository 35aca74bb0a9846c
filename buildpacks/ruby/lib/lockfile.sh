# shellcheck shell=bash
# Reads Gemfile and Gemfile.lock as text: they must be understood before there is a Ruby. It never
# writes them.

# lock_section NAME: the lines below a heading of the lock file.
lock_section() {
  tr -d '\r' <"$BUILD_DIR/Gemfile.lock" |
    awk -v wanted="$1" '/^[A-Z]/ { inside = ($0 == wanted); next } inside && NF'
}

# locked_gems: "rack 3.1.20", one a line, of the lock file; read once.
locked_gems() {
  if [[ -z ${LOCKED_GEMS:-} ]]; then
    LOCKED_GEMS=$(tr -d '\r' <"$BUILD_DIR/Gemfile.lock" |
      sed -nE 's/^    ([^ ]+) \(([0-9][0-9A-Za-z.]*)[^)]*\)$/\1 \2/p')
  fi
}

# has_gem NAME...: tells whether the bundle has one of these gems.
has_gem() {
  local name
  locked_gems
  for name in "$@"; do
    [[ $'\n'$LOCKED_GEMS != *$'\n'"$name "* ]] || return 0
  done
  return 1
}

# gem_version NAME: the version that the bundle has, empty when it has no such gem.
gem_version() {
  locked_gems
  sed -n "s/^$1 //p" <<<"$LOCKED_GEMS" | sed -n 1p
}

# locked_bundler: the version of Bundler that wrote the lock file.
locked_bundler() {
  lock_section "BUNDLED WITH" | sed -nE 's/^ *([0-9][0-9A-Za-z.]*) *$/\1/p' | sed -n 1p
}

# locked_ruby: "3.3.9" of the line "ruby 3.3.9p170" below RUBY VERSION.
locked_ruby() {
  lock_section "RUBY VERSION" | sed -nE 's/^ *ruby ([0-9]+(\.[0-9]+)*).*$/\1/p' | sed -n 1p
}

# locked_engine: "jruby 9.4.8.0" where it is not the usual Ruby.
locked_engine() {
  lock_section "RUBY VERSION" | sed -nE 's/^.*\((.+)\)$/\1/p' | sed -n 1p
}

# gemfile_ruby_line: ruby "3.3.9", ruby ">= 3.1", "< 3.5", ruby file: ".ruby-version".
gemfile_ruby_line() {
  tr -d '\r' <"$BUILD_DIR/Gemfile" | sed -nE '/^[[:space:]]*ruby[[:space:](]/p' | sed -n 1p
}

# gemfile_ruby_file: the file that this line points to, if it does.
gemfile_ruby_file() {
  gemfile_ruby_line | sed -nE "s/.*file: *[\"']([^\"']+)[\"'].*/\1/p"
}

# gemfile_ruby: the requirement of that line as "CLAUSE,CLAUSE"; empty when there is none.
gemfile_ruby() {
  local file
  file=$(gemfile_ruby_file)
  if [[ -n $file ]]; then
    version_in_file "$BUILD_DIR/$file"
    return
  fi
  gemfile_ruby_line | sed -E 's/(,[[:space:]]*)?(engine|engine_version|patchlevel):.*//' |
    sed -nE "s/^[^\"']*[\"'](.*)[\"'].*$/\1/p" | sed -E "s/[\"'][[:space:]]*,[[:space:]]*[\"']/,/g"
}

# version_in_file PATH: the Ruby in .ruby-version or .tool-versions.
version_in_file() {
  [[ -f $1 ]] || return 0
  tr -d '\r' <"$1" | sed -nE 's/^[[:space:]]*(ruby[-[:space:]]+)?([0-9]+(\.[0-9]+)+).*$/\2/p' | sed -n 1p
}
