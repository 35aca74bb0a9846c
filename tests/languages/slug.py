"""What is in a slug, to hold two builds of the same source against each other."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def content(slug: Path) -> Mapping[str, str]:
    """Return what every entry is, by its path in the dyno; times do not count."""
    with (
        subprocess.Popen(["zstd", "-dcq", slug], stdout=subprocess.PIPE) as unpacked,
        tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar,
    ):
        return {member.name.removeprefix("./app/"): _entry(tar, member) for member in tar}


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(file.read()).hexdigest() if file else member.linkname
    return f"{member.type!r} {member.mode:o} {digest}"


def differences(first: Mapping[str, str], again: Mapping[str, str]) -> Sequence[str]:
    """Return the paths that are not the same in both."""
    return sorted(path for path in {*first, *again} if first.get(path, "") != again.get(path, ""))
