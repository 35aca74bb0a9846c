"""What is in a slug: to hold two builds against each other, and it against what it must carry."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_CARRIED = (".heroku/", ".jdk/", "node_modules/", "vendor/", "bin/")
"""Where the buildpacks put runtimes, packages and the programs of Go; on the JVM jars count."""


def content(slug: Path) -> Mapping[str, str]:
    """Return what every entry is, by its path in the dyno; times do not count."""
    with _members(slug) as tar:
        return {_path(member): _entry(tar, member) for member in tar}


def carried_bytes(slug: Path) -> int:
    """Return what the runtime and the packages of a slug take alone, packed as slugs are."""
    with tempfile.TemporaryFile() as packed, _members(slug) as tar:
        with _packer(packed) as target:
            for member in tar:
                if _path(member).startswith(_CARRIED) or member.name.endswith(".jar"):
                    target.addfile(member, tar.extractfile(member) if member.isreg() else None)
        return packed.seek(0, 2)


@contextmanager
def _members(slug: Path) -> Iterator[tarfile.TarFile]:
    with (
        subprocess.Popen(["zstd", "-dcq", slug], stdout=subprocess.PIPE) as unpacked,
        tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar,
    ):
        yield tar


@contextmanager
def _packer(target: IO[bytes]) -> Iterator[tarfile.TarFile]:
    zstd = ["zstd", "-3", "-T0", "-qc"]
    with (
        subprocess.Popen(zstd, stdin=subprocess.PIPE, stdout=target) as packing,
        tarfile.open(fileobj=packing.stdin, mode="w|") as tar,
    ):
        yield tar
        tar.close()
        assert packing.stdin is not None
        packing.stdin.close()


def _path(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./app/")


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(file.read()).hexdigest() if file else member.linkname
    return f"{member.type!r} {member.mode:o} {digest}"


def differences(first: Mapping[str, str], again: Mapping[str, str]) -> Sequence[str]:
    """Return the paths that are not the same in both."""
    return sorted(path for path in {*first, *again} if first.get(path, "") != again.get(path, ""))
