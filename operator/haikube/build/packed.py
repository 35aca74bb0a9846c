"""The bytes of a packed archive, read once from its beginning to its end.

The stack's own programs unpack, in a process beside this one. How an archive is packed is told
from its first bytes, whatever its name.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from haikube.build.child import started
from haikube.build.environment import ENGINE_ENV

CHUNK: Final = 1 << 20

_PROGRAMS: Final[Mapping[bytes, str]] = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x8b": "zstd",  # gzip's own format, which takes gzip itself twice as long
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x5d\x00\x00\x80": "xz",
}
_LONGEST: Final = max(map(len, _PROGRAMS))


class ForwardStream:
    """As much of a file as ``tarfile`` needs, for bytes that cannot be had twice."""

    def __init__(self, source: IO[bytes], exit_code: Callable[[], int] = lambda: 0) -> None:
        # The source may give less than it is asked for, as pipes do; the buffer asks again.
        self._source = io.BufferedReader(cast("io.RawIOBase", source), CHUNK)
        self._exit_code = exit_code
        self._position = 0

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self._position

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end; no header is as long as a chunk."""
        if not 0 <= size <= CHUNK:
            raise tarfile.ReadError(f"a header has {size} bytes")
        data = self._source.read(size)
        self._position += len(data)
        if len(data) < size and self._exit_code():
            raise tarfile.ReadError("its packing is damaged")
        return data

    def seek(self, position: int) -> None:
        """Read on to a position, or to the end."""
        if position < self._position:
            raise tarfile.StreamError("it would have to be read backwards")
        while position > self._position and self.read(min(position - self._position, CHUNK)):
            pass


@contextmanager
def unpacking(archive: Path) -> Iterator[ForwardStream]:
    """Yield the archive without its packing."""
    with archive.open("rb", buffering=0) as file:
        start = os.pread(file.fileno(), _LONGEST, 0)
        program = next((each for magic, each in _PROGRAMS.items() if start.startswith(magic)), None)
        if program is None:
            yield ForwardStream(file)
            return
        quiet = subprocess.DEVNULL
        with started([program, "-dc"], env=ENGINE_ENV, stdin=file, stderr=quiet) as process:
            yield ForwardStream(cast("IO[bytes]", process.stdout), process.wait)
