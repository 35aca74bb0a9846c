"""Upstream releases of packages, as the stack's distribution keeps them to build from."""

from __future__ import annotations

from pathlib import Path

from languages.mirrors.workshop import Workshop

_FETCH = """
mkdir -p sources/state/lists/partial sources/cache/archives/partial sources/files
sed "s/^deb /deb-src /; s/ trixie/ $SUITE/" /etc/apt/sources.list > sources/list
options=(-o Dir::Etc::SourceList=/work/sources/list -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State=/work/sources/state -o Dir::Cache=/work/sources/cache
  -o Dir::State::status=/var/lib/dpkg/status -o Debug::NoLocking=1 -o APT::Sandbox::User=
  -o Acquire::Languages=none -o Acquire::Retries=3)
apt-get -qq "${options[@]}" update
cd sources/files
for package; do
  # a mirror may lack Debian's own part of a source package, where upstream's is all that is wanted,
  # or the whole of a version that it lists: then an older one does
  versions=$(apt-cache "${options[@]}" showsrc "$package" | sed -n 's/^Version: //p' | sort -Vru)
  for version in $versions; do
    apt-get -qq "${options[@]}" source --download-only "$package=$version" || true
    ! ls "$package"_*.orig.tar.* >/dev/null 2>&1 || break
  done
  ls "$package"_*.orig.tar.* >/dev/null
done
"""


def fetch_sources(shop: Workshop, packages: list[str], suite: str = "trixie") -> list[Path]:
    """Download upstream's archives of source packages; returns their files."""
    shop.run(_FETCH, *packages, SUITE=suite)
    folder = shop.scratch / "sources" / "files"
    found = [each for name in packages for each in folder.glob(f"{name}_*.orig.tar.*")]
    return [each for each in found if each.suffix != ".asc"]
