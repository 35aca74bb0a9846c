"""Mirrors of Ruby's and PHP's releases, as their makers lay them out, with what says their sha256.

The source is real, that of packages of the distribution, released as a version that no suite has.
It must never be used for anything but tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from languages.mirrors.sources import fetch_sources
from languages.mirrors.workshop import Workshop, filled

RUBY, PHP = "3.3.99", "8.3.99"
_UNPACK = """
version=$2
mkdir -p source mirror
tar -xf "$1" -C source --strip-components=1
"""
_PUBLISH_RUBY = """
sed -Ei 's/^(#define RUBY_VERSION_TEENY) .*/\\1 99/' source/include/ruby/version.h source/version.h
mkdir -p mirror/3.3
tar --transform "s,^source,ruby-$version," -czf "mirror/3.3/ruby-$version.tar.gz" source
sum=$(sha256sum "mirror/3.3/ruby-$version.tar.gz" | cut -d ' ' -f 1)
printf 'name\\turl\\tsha1\\tsha256\\tsha512\\nruby-%s\\thttps://x/ruby-%s.tar.gz\\t1\\t%s\\t2\\n' \\
  "$version" "$version" "$sum" >mirror/index.txt
rm -r source
"""
_PUBLISH_PHP = """
was=$(sed -nE "s/^PACKAGE_VERSION='(.*)'/\\1/p" source/configure)
sed -i "s/${was//./\\\\.}/$version/g" source/configure
mkdir -p mirror/distributions mirror/releases
tar --transform "s,^source,php-$version," -czf "mirror/distributions/php-$version.tar.gz" source
sum=$(sha256sum "mirror/distributions/php-$version.tar.gz" | cut -d ' ' -f 1)
printf '{"source": [{"filename": "php-%s.tar.gz", "sha256": "%s"}]}' "$version" "$sum" \\
  >mirror/releases/index.php
rm -r source
"""


@cache
def ruby_mirror() -> Path:
    """Return the folder of Ruby's releases: to be served over HTTP as it is."""
    return _mirror("rubies", "ruby3.3", "trixie", _PUBLISH_RUBY, RUBY)


@cache
def php_mirror() -> Path:
    """Return the folder of PHP's releases: to be served over HTTP as it is."""
    return _mirror("phps", "php8.2", "bookworm", _PUBLISH_PHP, PHP)


def _mirror(name: str, package: str, suite: str, publish: str, version: str) -> Path:
    def fill(shop: Workshop) -> None:
        (archive,) = fetch_sources(shop, [package], suite)
        place = f"/work/{archive.relative_to(shop.scratch)}"
        shop.run(_UNPACK + publish, place, version)

    return filled(name, "mirror", fill).scratch / "mirror"
