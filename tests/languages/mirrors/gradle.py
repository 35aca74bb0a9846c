"""Gradle as its makers pack it, made of the stack's packages: it is not always in reach.

What is packed so finds itself wherever it is unpacked. Debian's jars look for each other in one
place below /usr/share, which one class names; here it names the place where a wrapper will unpack
them. It must never be used for anything but tests.
"""

from __future__ import annotations

import hashlib
import string
import zipfile
from functools import cache
from pathlib import Path

from languages.mirrors.workshop import Workshop, fetch_debs, filled

VERSION = "4.4.1"
_FOLDER = f"gradle-{VERSION}"
NAME = f"gradle-{VERSION}-bin.zip"
_PACKAGES = ["gradle"]
_MAKE = f"""
mkdir -p unpacked making/lib
for deb in apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked; done
find unpacked -xtype l -delete
cp -rL unpacked/usr/share/gradle/. making/
find unpacked/usr/share/java -maxdepth 1 -name '*.jar' ! -name 'jetty*' \\
  -exec cp -L {{}} making/lib/ \\;
mkdir -p making/bin making/lib/plugins
mv making gradle-{VERSION}
"""
_ITSELF = "org/gradle/internal/installation/CurrentGradleInstallationLocator.class"
_HOLDS_ITSELF = f"lib/gradle-core-api-{VERSION}.jar"
_DEBIAN_S = "/usr/share/gradle"


@cache
def _unpacked() -> Path:
    """Return the folder of the distribution, made on first use."""
    return filled("gradle", _FOLDER, _fill).scratch / _FOLDER


def _fill(shop: Workshop) -> None:
    fetch_debs(shop, _PACKAGES)
    shop.run(_MAKE)


def pack_gradle(target: Path, url: str, user_home: str) -> None:
    """Write the archive that a wrapper fetches from this URL and unpacks below its user's home."""
    home = f"{user_home}/wrapper/dists/{NAME.removesuffix('.zip')}/{_digits(url)}/gradle-{VERSION}"
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(_unpacked().rglob("*")):
            name = path.relative_to(_unpacked())
            if str(name) == _HOLDS_ITSELF:
                archive.writestr(f"gradle-{VERSION}/{name}", _at_home(path, home, target))
            else:
                archive.write(path, f"gradle-{VERSION}/{name}")


def _at_home(jar: Path, home: str, beside: Path) -> bytes:
    """Return the jar with another constant in the class that says where Gradle is."""
    made = beside.with_suffix(".jar")
    with zipfile.ZipFile(jar) as old, zipfile.ZipFile(made, "w") as new:
        for each in old.infolist():
            content = old.read(each)
            if each.filename == _ITSELF:
                assert content.count(_constant(_DEBIAN_S)) == 1
                content = content.replace(_constant(_DEBIAN_S), _constant(home))
            new.writestr(each, content)
    content = made.read_bytes()
    made.unlink()
    return content


def _constant(text: str) -> bytes:
    """Return a string as it is in the pool of a class file: a tag, its length, its bytes."""
    return b"\x01" + len(text).to_bytes(2) + text.encode()


def _digits(url: str) -> str:
    """Return what a wrapper calls the folder of a URL: its MD5 in base 36."""
    rest = int.from_bytes(hashlib.md5(url.encode(), usedforsecurity=False).digest())
    digits = ""
    while rest:
        rest, digit = divmod(rest, 36)
        digits = (string.digits + string.ascii_lowercase)[digit] + digits
    return digits
