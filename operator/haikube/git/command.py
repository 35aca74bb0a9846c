"""How C git is run: fixed argv without a shell, an environment of our own, no foreign config.

Nothing of the caller's environment, home or system configuration reaches git, and no value of a
user is ever an option: paths and object names come from us, and ``--`` stands before the rest.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 16
_STDERR_LIMIT: Final = 1 << 16

PACKED: Final = "tar.zst"
"""Format of ``git archive`` that our configuration adds to git's own."""

_CONFIG: Final = {
    "core.bigFileThreshold": "16m",  # larger blobs are streamed, not held in memory
    "core.fsync": "none",  # local repositories are a cache
    "gc.auto": "0",
    "core.deltaBaseCacheLimit": "32m",
    "pack.deltaCacheSize": "32m",
    "pack.threads": "1",
    "pack.windowMemory": "32m",
    "protocol.allow": "never",
    "receive.autogc": "false",
    "receive.fsckObjects": "true",
    "receive.fsck.badTimezone": "ignore",  # old, harmless and found in real histories
    "receive.fsck.missingSpaceBeforeDate": "ignore",
    "receive.fsck.zeroPaddedFilemode": "ignore",
    "receive.keepAlive": "5",
    "receive.procReceiveRefs": "refs",  # git moves none itself
    "receive.shallowUpdate": "true",  # what is missing is refused by us, with a remedy
    "receive.unpackLimit": "1",
    "receive.updateServerInfo": "false",
    f"tar.{PACKED}.command": "zstd --quiet --stdout",  # gzip takes three times as long
    "transfer.fsckObjects": "true",
}


_CPU_SECONDS: Final = 900
_FILES: Final = 1024
_FILE_SIZE: Final = 16 << 30


class GitError(Exception):
    """git ended with an error; the message is what it wrote to stderr."""


@dataclass(frozen=True, slots=True)
class Git:
    """The git program with our hooks and our limits; ``home`` is an empty directory.

    ``memory`` is what one git process may take, in bytes: one that unpacks what a stranger made
    ends with an error of its own, before it ends everybody's api.
    """

    home: Path
    hooks: Path
    input_limit: int
    memory: int

    def _command(self, *arguments: str) -> tuple[str, ...]:
        """Return git behind limits that its children inherit."""
        limits = {
            "data": self.memory,
            "cpu": _CPU_SECONDS,
            "nofile": _FILES,
            "fsize": max(_FILE_SIZE, 2 * self.input_limit),
            "core": 0,
        }
        return (
            "prlimit",
            *(f"--{name}={most}" for name, most in limits.items()),
            "git",
            *arguments,
        )

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the complete environment of a git process."""
        config = _CONFIG | {
            "core.hooksPath": str(self.hooks),
            "receive.maxInputSize": str(self.input_limit),
        }
        settings = {
            f"GIT_CONFIG_{field}_{index}": text
            for index, entry in enumerate(config.items())
            for field, text in zip(("KEY", "VALUE"), entry, strict=True)
        }
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(config)),
            **settings,
            **(extra or {}),
        }

    async def spawn(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
    ) -> asyncio.subprocess.Process:
        """Start git in a session of its own with stdout and stderr as pipes."""
        return await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment(env),
            cwd=self.home,
            start_new_session=True,
        )

    async def output(
        self, *arguments: str, env: Mapping[str, str] | None = None, source: Path | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield what git writes to stdout; raises ``GitError`` when it fails.

        ``source`` is a file that git reads from stdin.
        """
        with _opened(source or Path(os.devnull)) as stdin:
            process = await self.spawn(*arguments, env=env, stdin=stdin.fileno())
        errors = asyncio.create_task(read_some(process.stderr))
        try:
            async for chunk in chunks(process.stdout):
                yield chunk
            if await process.wait():
                raise GitError((await errors).decode(errors="replace").strip())
        finally:
            await end(process)
            await errors

    async def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, source: Path | None = None
    ) -> bytes:
        """Return all that git writes to stdout."""
        output = self.output(*arguments, env=env, source=source)
        return b"".join([chunk async for chunk in output])


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


async def chunks(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """Yield a pipe until its end."""
    if stream is None:
        return
    while chunk := await stream.read(_CHUNK):
        yield chunk


async def read_some(stream: asyncio.StreamReader | None) -> bytes:
    """Read a pipe to its end and keep only the beginning."""
    kept = bytearray()
    async for chunk in chunks(stream):
        kept += chunk[: _STDERR_LIMIT - len(kept)]
    return bytes(kept)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs, its children with it.

    Its output is read to the end: asyncio notices the end of a process only when its pipes are
    closed, and never that of a pipe whose reader stopped half-way.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
    async for _ in chunks(process.stdout):
        pass
    await process.wait()
