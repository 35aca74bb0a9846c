# shellcheck shell=bash
# Puts a Ruby into .heroku/ruby of the app, with the same bin/ whatever it came from: packages of the
# distribution or what the platform made from source (deb), the official source release compiled here
# (upstream), or an archive (a URL). It is asked for anew each week, so that security releases arrive.

readonly RUBY_LAYOUT=2
readonly RUBY_INDEX_DEFAULT=https://cache.ruby-lang.org/pub/ruby

# install_ruby: sets RUBY_VERSION and RUBY_API ("3.3.0") and puts Ruby on PATH.
install_ruby() {
  local wanted key
  RUBY_HOME=$BUILD_DIR/.heroku/ruby
  RUBY_SOURCE=$(runtime_source ruby deb deb upstream)
  wanted=$(wanted_ruby)
  key=$(cache_key "$RUBY_LAYOUT" "$STACK" "$RUBY_SOURCE" "$wanted" \
    "$(setting BUILDPACK_STRICT_VERSIONS)" "$(date +%G-%V)" "$(platform_runtimes ruby)")
  if cache_get ruby/runtime "$key" "$RUBY_HOME"; then
    RUBY_VERSION=$(cached_value ruby-version)
    topic "Using Ruby $RUBY_VERSION from the cache"
  else
    fetch_ruby "$wanted"
    cache_keep ruby/runtime "$key" "$RUBY_HOME"
    cache_value ruby-version "$RUBY_VERSION"
  fi
  use_ruby
}

fetch_ruby() {
  rm -rf "$RUBY_HOME"
  case $RUBY_SOURCE in
  deb) ruby_from_packages "$1" ;;
  upstream) ruby_from_source "$1" ;;
  *) ruby_from_archive "$1" ;;
  esac
}

ruby_from_packages() {
  local line suite
  choose_packaged_ruby "$1"
  RUBY_VERSION=$RUBY_CHOICE
  line=$(version_line "$RUBY_VERSION" 2)
  topic "Installing Ruby $RUBY_VERSION"
  if [[ -n $RUBY_MADE ]]; then
    runtime_warn_ended Ruby ruby "$line"
    platform_runtime ruby "$RUBY_VERSION" "$RUBY_HOME"
    return
  fi
  suite=$(runtime_suite ruby "$line")
  detail "It comes $(runtime_origin "$suite")"
  runtime_warn_ended Ruby ruby "$line"
  within_suite "$suite" unpack_ruby "ruby$line"
}

# unpack_ruby PACKAGE: from the suite in question.
unpack_ruby() {
  apt_unpack "$RUBY_HOME" "$1" ||
    fail "The package $1 could not be fetched (see above)." \
      "Try again, or set BUILDPACK_RUBY_SOURCE to another source."
  apt_unpack_alone "$RUBY_HOME" "$1-dev" ||
    fail "The package $1-dev could not be fetched (see above)." "Try again."
  tidy_packaged_ruby "$1"
  [[ -z $APT_SUITE ]] || forgive_old_code
}

# forgive_old_code: gems of that time compile with the compiler of today as with that of their time.
forgive_old_code() {
  find "$RUBY_HOME/usr/lib" -name rbconfig.rb -exec sed -i 's/^\( *CONFIG\["CFLAGS"\] = "\)/\1-fpermissive /' {} +
}

# packaged_ruby LINE: its version, empty when the index of its suite cannot be had.
packaged_ruby() {
  within_suite "$(runtime_suite ruby "$1")" apt_known_version "ruby$1"
}

# packaged_ruby_lines: the lines that some suite has, in the order in which they are taken: the
# stack's own first, then the newest.
packaged_ruby_lines() {
  runtime_stack_lines ruby | sort -rV
  runtime_suite_lines ruby | sort -rV | grep -vxF -f <(runtime_stack_lines ruby) || true
}

# One bin/ with the usual names; scripts find Ruby on PATH, binstubs of Bundler ask for ruby3.3.
tidy_packaged_ruby() {
  local package=$1 line=${1#ruby} program
  mkdir -p "$RUBY_HOME/bin"
  rm -rf "${RUBY_HOME:?}"/{etc,var,usr/share/{systemtap,bash-completion,ri,rubygems-integration}}
  # RubyGems and Bundler are those of the release itself; vendor_ruby has Debian's own beside them
  rm -rf "$RUBY_HOME"/usr/lib/ruby/{vendor_ruby,"$line".0/bundler/man}
  # tools for developing Ruby itself, a third of its files; a bundle that wants them installs its own
  rm -rf "$RUBY_HOME"/usr/lib/ruby/gems/*/{gems,specifications}/{rbs,typeprof}-*
  sed -i "1s,^#!.*ruby.*,#!/usr/bin/env $package," "$RUBY_HOME"/usr/bin/*"$line"
  for program in ruby gem bundle bundler irb erb rdoc rake; do
    if [[ -e $RUBY_HOME/usr/bin/$program$line ]]; then
      ln -sf "../usr/bin/$program$line" "$RUBY_HOME/bin/$program"
    fi
  done
  ln -sf "../usr/bin/$package" "$RUBY_HOME/bin/$package"
}

# ruby_from_source WANTED: compiles a release; its index has a checksum for every file.
ruby_from_source() {
  local mirror index url sha256
  mirror=$(setting BUILDPACK_RUBY_MIRROR "$RUBY_INDEX_DEFAULT")
  index=$TMPDIR/ruby-index.txt
  download "$mirror/index.txt" "$index" ||
    fail "The list of Ruby releases could not be fetched from $mirror/index.txt (see above)." \
      "Set BUILDPACK_RUBY_MIRROR to a mirror, or BUILDPACK_RUBY_SOURCE=deb."
  choose_ruby "$1" "$(sed -nE 's/^ruby-([0-9]+\.[0-9]+\.[0-9]+)[[:space:]].*\.tar\.gz[[:space:]].*/\1/p' "$index")"
  RUBY_VERSION=$RUBY_CHOICE
  read -r url sha256 < <(awk -v name="ruby-$RUBY_VERSION" \
    '$1 == name && $2 ~ /\.tar\.gz$/ { print $2, $4 }' "$index")
  topic "Compiling Ruby $RUBY_VERSION: this takes minutes, and is kept for the next builds"
  compile_ruby "$mirror/$(version_line "$RUBY_VERSION" 2)/${url##*/}" "$sha256"
}

compile_ruby() {
  local source=$TMPDIR/ruby-source
  download "$1" "$TMPDIR/ruby.tar.gz" "$2" ||
    fail "Ruby $RUBY_VERSION could not be fetched from $1 (see above)."
  mkdir -p "$source" "$RUBY_HOME"
  tar --extract --gzip --file "$TMPDIR/ruby.tar.gz" --directory "$source" --strip-components 1
  app_link .heroku/ruby
  quietly configure_and_make "$source" ||
    fail "Ruby $RUBY_VERSION did not compile (see above)." "Try BUILDPACK_RUBY_SOURCE=deb."
  rm -rf "$source" "$TMPDIR/ruby.tar.gz" "$RUBY_HOME"/lib/libruby-static.a "$RUBY_HOME"/share/{doc,man,ri}
}

configure_and_make() (
  cd "$1" || exit
  ./configure --prefix="$HOME/.heroku/ruby" --enable-load-relative --disable-install-doc \
    --disable-install-static-library --enable-shared &&
    make -j"$(nproc)" && make install
)

# ruby_from_archive WANTED: {version} and {stack} in the URL are replaced.
ruby_from_archive() {
  local url version
  version=$(first_number "$1")
  if [[ $RUBY_SOURCE == *'{version}'* && -z $version ]]; then
    fail "BUILDPACK_RUBY_SOURCE is $RUBY_SOURCE, but neither Gemfile.lock nor Gemfile names a version." \
      'Write ruby "3.3.9" in the Gemfile, run bundle lock and commit Gemfile.lock.'
  fi
  url=${RUBY_SOURCE//'{version}'/$version}
  url=${url//'{stack}'/$STACK}
  topic "Installing Ruby from ${url##*/}"
  download "$url" "$TMPDIR/ruby.archive" "$(setting BUILDPACK_RUBY_SHA256)" ||
    fail "Ruby could not be fetched from $url (see above)." "Set BUILDPACK_RUBY_SOURCE to deb or to another URL."
  mkdir -p "$RUBY_HOME"
  tar --extract --file "$TMPDIR/ruby.archive" --directory "$RUBY_HOME" ||
    fail "$url is not a tar archive."
  rm -f "$TMPDIR/ruby.archive"
  [[ -x $RUBY_HOME/bin/ruby ]] || fail "The archive $url has no bin/ruby at its root."
  RUBY_VERSION=$(ruby_reports "$RUBY_HOME") || fail "The Ruby of $url does not start on the stack $STACK (see above)."
}

# ruby_reports ROOT: the version that a Ruby says of itself, before its environment is set.
ruby_reports() {
  LD_LIBRARY_PATH="$1/lib:$1/usr/lib/$(gcc -print-multiarch)" "$1/bin/ruby" --disable-gems -e 'print RUBY_VERSION'
}

# use_ruby: the same variables here, for later buildpacks and on the dyno.
use_ruby() {
  app_link .heroku/ruby
  RUBY_HOME=$HOME/.heroku/ruby
  RUBY_API=$(version_line "$RUBY_VERSION" 2).0
  export_path "$RUBY_HOME/bin"
  if [[ -d $RUBY_HOME/usr ]]; then
    packaged_ruby_environment export_set "$RUBY_HOME" "${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
}

# packaged_ruby_environment SETTER ROOT REST: Debian's Ruby looks below /usr; these lead it to ROOT.
# REST is what LD_LIBRARY_PATH held before.
packaged_ruby_environment() {
  local setter=$1 root=$2 machine
  machine=$(gcc -print-multiarch)
  "$setter" RUBYLIB "$root/usr/lib/ruby/$RUBY_API:$root/usr/lib/$machine/ruby/$RUBY_API"
  "$setter" LD_LIBRARY_PATH "$root/usr/lib/$machine$3"
  "$setter" DEBIAN_DISABLE_RUBYGEMS_INTEGRATION 1
}

# lighten_ruby: headers are needed to compile gems, not to run them.
lighten_ruby() {
  rm -rf "$BUILD_DIR"/.heroku/ruby/{include,usr/include,usr/share/doc}
}
