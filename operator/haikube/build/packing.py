"""``tar | zstd`` into a file, and back: the one way bytes are packed here.

GNU tar and zstd of the stack do the work; the digest and size are taken while streaming.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from haikube.build.child import started
from haikube.build.deadline import Deadline
from haikube.build.environment import ENGINE_ENV
from haikube.build.transfer import Fetched

_CHUNK = 1 << 20


class PackingError(Exception):
    """tar or zstd failed; the text is what it said."""


def pack(
    folder: Path, target: Path, tar_options: Sequence[str], *, level: int, deadline: Deadline
) -> Fetched:
    """Pack the content of ``folder`` into ``target``; returns digest and size."""
    tar = ["tar", "--create", "--file=-", *tar_options, f"--directory={folder}", "."]
    zstd = ["zstd", f"-{level}", "-T0", "--quiet", "-c"]
    with ExitStack() as stack:
        errors = stack.enter_context(target.with_suffix(".err").open("w+b"))
        first = stack.enter_context(started(tar, env=ENGINE_ENV, stderr=errors))
        assert first.stdout is not None  # noqa: S101 - PIPE was asked for
        second = stack.enter_context(
            started(zstd, env=ENGINE_ENV, stdin=first.stdout, stderr=errors)
        )
        first.stdout.close()
        packed = _drain(second, target, deadline)
        _require_success(first, second, target.with_suffix(".err"))
    return packed


def unpack_trusted(archive: Path, folder: Path, *, deadline: Deadline) -> None:
    """Unpack an archive that ``pack`` made for the same app."""
    tar = ["tar", "--extract", "--file=-", f"--directory={folder}"]
    with ExitStack() as stack:
        errors = stack.enter_context(archive.with_suffix(".err").open("w+b"))
        file = stack.enter_context(archive.open("rb"))
        first = stack.enter_context(
            started(["zstd", "-dc", "--quiet"], env=ENGINE_ENV, stdin=file, stderr=errors)
        )
        assert first.stdout is not None  # noqa: S101 - PIPE was asked for
        second = stack.enter_context(
            started(
                tar, env=ENGINE_ENV, stdin=first.stdout, stdout=subprocess.DEVNULL, stderr=errors
            )
        )
        first.stdout.close()
        second.wait(deadline.remaining())
        _require_success(first, second, archive.with_suffix(".err"))


def _drain(process: subprocess.Popen[bytes], target: Path, deadline: Deadline) -> Fetched:
    digest = hashlib.sha256()
    size = 0
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    with target.open("wb") as file:
        while chunk := process.stdout.read(_CHUNK):
            deadline.remaining()
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return Fetched(f"sha256:{digest.hexdigest()}", size)


def _require_success(
    first: subprocess.Popen[bytes], second: subprocess.Popen[bytes], errors: Path
) -> None:
    if first.wait() == 0 and second.wait() == 0:
        errors.unlink()
        return
    said = errors.read_text("utf-8", "replace").strip().splitlines()
    raise PackingError(said[-1] if said else "tar or zstd was ended by a signal")
