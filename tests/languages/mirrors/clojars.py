"""A Maven repository made of the stack's Clojure packages: Clojars is not always in reach.

It is a plain folder that a test serves or lays beside an app. It must never be used for anything
but tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from languages.mirrors.workshop import Workshop, fetch_debs, filled

PACKAGES = ("libcompojure-clojure", "libring-core-clojure", "libring-jetty-adapter-clojure")
MIRRORS = {"LEIN_MIRRORS": "file:///build/src/mirror"}
"""Config vars of an app that has the repository in its folder ``mirror``, where it is in a build.

Leiningen takes mirrors by https or as files only.
"""
# Maven's clients want a checksum beside every file; Debian's repository has none.
_MAKE = """
mkdir unpacked
for deb in apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked; done
find unpacked -xtype l -delete
cp -rL unpacked/usr/share/maven-repo making
find making -type f | while read -r file; do
  sha1sum "$file" | cut -d ' ' -f 1 >"$file.sha1"
done
mv making mirror
"""


@cache
def clojars_mirror() -> Path:
    """Return the folder of the repository, made on first use."""
    return filled("clojars", "mirror", _fill).scratch / "mirror"


def _fill(shop: Workshop) -> None:
    fetch_debs(shop, list(PACKAGES))
    shop.run(_MAKE)
