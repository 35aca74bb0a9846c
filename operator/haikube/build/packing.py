"""``tar | zstd`` into a file, and back: the one way bytes are packed here.

GNU tar and zstd of the stack do the work, from one to the other and to the disk: nothing passes
through this process, which only takes the digest of the result.
"""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from haikube.build.child import started
from haikube.build.deadline import Deadline
from haikube.build.environment import ENGINE_ENV
from haikube.build.transfer import Fetched

_WRITTEN: Final = "--blocking-factor=128"
_READ: Final = "--blocking-factor=2048"
"""Blocks of 512 bytes at once: tar's own 20 keep a pipe busy with waking up its two ends. An
archive is filled up to a whole record, so what is written has smaller ones.
"""


class PackingError(Exception):
    """tar or zstd failed; the text is what it said."""


def pack(
    folder: Path, target: Path, tar_options: Sequence[str], *, level: int, deadline: Deadline
) -> Fetched:
    """Pack the content of ``folder`` into ``target``; returns digest and size."""
    tar = ["tar", "--create", _WRITTEN, "--file=-", *tar_options, f"--directory={folder}", "."]
    zstd = ["zstd", f"-{level}", "-T0", "--quiet", "-c"]
    with ExitStack() as stack:
        errors = stack.enter_context(target.with_suffix(".err").open("w+b"))
        file = stack.enter_context(target.open("wb"))
        first = stack.enter_context(started(tar, env=ENGINE_ENV, stderr=errors))
        assert first.stdout is not None  # noqa: S101 - PIPE was asked for
        second = stack.enter_context(
            started(zstd, env=ENGINE_ENV, stdin=first.stdout, stdout=file, stderr=errors)
        )
        first.stdout.close()
        _require_success(first, second, target.with_suffix(".err"), deadline)
    return _measured(target)


def unpack_trusted(archive: Path, folder: Path, *, deadline: Deadline) -> None:
    """Unpack an archive that ``pack`` made for the same app."""
    tar = ["tar", "--extract", _READ, "--file=-", f"--directory={folder}"]
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
        _require_success(first, second, archive.with_suffix(".err"), deadline)


def _measured(archive: Path) -> Fetched:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Fetched(f"sha256:{digest}", file.tell())


def _require_success(
    first: subprocess.Popen[bytes],
    second: subprocess.Popen[bytes],
    errors: Path,
    deadline: Deadline,
) -> None:
    if _code(second, deadline) == _code(first, deadline) == 0:
        errors.unlink()
        return
    said = errors.read_text("utf-8", "replace").strip().splitlines()
    raise PackingError(said[0] if said else "tar or zstd was ended by a signal")


def _code(process: subprocess.Popen[bytes], deadline: Deadline) -> int:
    # To wait with a time limit, Python looks again and again, up to 50 ms too late.
    watch = threading.Timer(deadline.remaining(), process.kill)
    watch.start()
    try:
        code = process.wait()
    finally:
        watch.cancel()
    deadline.remaining()
    return code
