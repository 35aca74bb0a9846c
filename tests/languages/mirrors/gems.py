"""A gem server made of the stack's own packages, so that Bundler runs end to end without the net.

The gems are Debian's; names, versions and dependencies are what the lock files of the sample apps
pin. It must never be used for anything but tests.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from languages.mirrors.sources import fetch_sources
from languages.mirrors.workshop import Workshop, fetch_debs, filled

MAKER = Path(__file__).with_name("gems.rb")
RUNTIME = ("ruby3.3", "ruby-rubygems")
GEMS = (
    *("rails", "ruby-rails-propshaft", "ruby-bundler"),
    *("ruby-sinatra", "ruby-rackup", "puma", "ruby-execjs", "ruby-pg"),
)
RUBY = """
root=/work/ruby/usr libraries=/work/ruby/usr/lib
export RUBYLIB=$libraries/ruby/vendor_ruby:$libraries/ruby/3.3.0
export RUBYLIB=$RUBYLIB:$libraries/x86_64-linux-gnu/ruby/3.3.0
export LD_LIBRARY_PATH=$libraries/x86_64-linux-gnu DEBIAN_DISABLE_RUBYGEMS_INTEGRATION=1
export PATH=$root/bin:$PATH
"""
_UNPACK = """
unpack() { dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --exclude='./usr/share/doc'; }
mkdir -p ruby packages
for deb in apt/cache/archives/*.deb; do
  name=$(basename "$deb"); name=${name%%_*}
  mkdir -p "packages/$name"
  unpack "$deb" "packages/$name"
  case $name in ruby|ruby3.3|libruby*|ruby-rubygems) unpack "$deb" ruby ;; esac
done
for program in bundle bundler gem rake; do
  ln -sf "${program}3.3" "ruby/usr/bin/$program"
done
sed -i '1s,^#!.*ruby.*,#!/usr/bin/env ruby3.3,' ruby/usr/bin/{bundle,bundler,gem,rake}3.3
"""
# Gems with C code come compiled from the packages; this one is left to the build to compile.
_BUILD = """
mkdir -p compiled-at-install source
tar -xf "$1" -C source --strip-components=1
cd source
git init -q . && git add -A
gem build --output /work/compiled-at-install/native.gem *.gemspec
"""


def ruby_workshop() -> Workshop:
    """Return the workshop that has Ruby and the packages of all gems, filled on first use."""
    return filled("ruby", "mirror/versions", _fill)


def _fill(shop: Workshop) -> None:
    fetch_debs(shop, [*RUNTIME, *GEMS])
    shop.run(_UNPACK)
    shutil.copy(MAKER, shop.scratch)
    (archive,) = fetch_sources(shop, ["ruby-bcrypt"])
    shop.run(f"{RUBY}\n{_BUILD}", f"/work/{archive.relative_to(shop.scratch)}")
    shop.run(f"{RUBY}\nruby3.3 gems.rb packages compiled-at-install mirror")


@cache
def gem_mirror() -> Path:
    """Return the folder of the gem server: to be served over HTTP as it is."""
    return ruby_workshop().scratch / "mirror"


__all__ = ["RUBY", "gem_mirror", "ruby_workshop"]
