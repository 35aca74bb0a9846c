"""A Composer repository made of upstream releases that the stack's distribution carries.

It must never be used for anything but tests.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from languages.mirrors.served import served
from languages.mirrors.sources import fetch_sources
from languages.mirrors.workshop import Workshop, fetch_debs, filled

PACKAGES = ["php-monolog", "php-psr-log", "php-nikic-fast-route", "php-psr-container"]
COMPOSER = """
export LD_LIBRARY_PATH=/work/php/usr/lib/x86_64-linux-gnu PHP_INI_SCAN_DIR=/work/php/conf
export COMPOSER_HOME=/work/composer
composer() { /work/php/usr/bin/php8.4 /work/php/usr/bin/composer --no-ansi -n "$@"; }
"""
_INSTALL = """
mkdir -p php/conf
for deb in apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C php; done
sed -i 's,/usr/share/php,/work/php/usr/share/php,g' \\
  $(grep -rlF /usr/share/php php/usr/share/php php/usr/bin/composer)
{
  printf 'extension_dir = %s\\n' /work/php/usr/lib/php/20*
  echo 'include_path = .:/work/php/usr/share/php'
  printf 'extension = %s\\n' iconv mbstring phar tokenizer ctype curl fileinfo
} > php/conf/00.ini
"""


def composer_workshop() -> Workshop:
    """Return the workshop with PHP, Composer and the releases, filled on first use."""
    return filled("php", "repository/releases.json", _fill)


def _fill(shop: Workshop) -> None:
    fetch_debs(shop, ["php8.4-cli", "php8.4-mbstring", "php8.4-curl", "composer"])
    shop.run(_INSTALL)
    _make_releases(fetch_sources(shop, PACKAGES), shop.scratch / "repository")


@contextmanager
def composer_repository() -> Iterator[str]:
    """Serve the repository while the context lasts; gives its URL."""
    folder = composer_workshop().scratch / "repository"
    with served(folder) as url:
        describe(folder, url)
        yield url


def describe(folder: Path, url: str) -> None:
    """Write the list of packages for a server: Composer wants to read whole addresses in it."""
    releases: list[dict[str, Any]] = json.loads((folder / "releases.json").read_text())
    packages: dict[str, dict[str, Any]] = {}
    for release in releases:
        dist = {**release["dist"], "url": f"{url}/{release['dist']['url']}"}
        packages[release["name"]] = {release["version"]: {**release, "dist": dist}}
    (folder / "packages.json").write_text(json.dumps({"packages": packages}))


def _make_releases(archives: list[Path], folder: Path) -> None:
    folder.mkdir()
    releases = [_make_release(archive, folder) for archive in archives]
    (folder / "releases.json").write_text(json.dumps(releases))


def _make_release(archive: Path, folder: Path) -> dict[str, Any]:
    version = re.sub(r"^.*?_([0-9.]+)\.orig.*$", r"\1", archive.name)
    with tarfile.open(archive) as tar:
        files = {member.name: _content(tar, member) for member in tar if member.isfile()}
    root = min(files, key=len).split("/")[0]
    manifest: dict[str, Any] = json.loads(files[f"{root}/composer.json"])
    target = folder / f"{manifest['name'].replace('/', '-')}-{version}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in sorted(files.items()):
            zipped.writestr(name, content)
    shasum = hashlib.sha1(target.read_bytes(), usedforsecurity=False).hexdigest()
    dist = {"type": "zip", "url": target.name, "shasum": shasum}
    return {**manifest, "version": version, "dist": dist}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""
