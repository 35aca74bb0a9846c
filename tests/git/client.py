"""The real git, as a person with an app would use it; nothing of this machine's config.

``HAIKUBE_GIT_CLIENT`` is the path of another git than the platform's own for who pushes.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from world import TOKEN


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and all it printed."""

    status: int
    said: str

    @property
    def remote(self) -> list[str]:
        """Return the lines that came from the platform, without git's prefix and padding."""
        lines = self.said.splitlines()
        return [line.removeprefix("remote: ").rstrip() for line in lines if line[:7] == "remote:"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree with a remote named heroku."""

    folder: Path
    remote: str

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start git in the working tree."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }
        return await asyncio.create_subprocess_exec(
            os.environ.get("HAIKUBE_GIT_CLIENT", "git"),
            *arguments,
            cwd=self.folder,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def git(self, *arguments: str) -> Done:
        """Run git to its end."""
        process = await self.start(*arguments)
        said, _ = await process.communicate()
        return Done(process.returncode or 0, said.decode(errors="replace"))

    async def must(self, *arguments: str) -> str:
        """Run git and insist that it succeeds."""
        done = await self.git(*arguments)
        assert not done.status, done.said
        return done.said.strip()

    async def commit(self, files: dict[str, str], message: str = "work") -> str:
        """Write files, commit them and return the commit."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        await self.must("add", "--all")
        await self.must("commit", "-q", "--allow-empty", "-m", message)
        return await self.must("rev-parse", "HEAD")

    async def push(self, *what: str, options: tuple[str, ...] = ()) -> Done:
        """Push to the platform."""
        return await self.git("push", *options, "heroku", *(what or ("main",)))


async def checkout(folder: Path, url: str, app: str = "hello", token: str = TOKEN) -> Checkout:
    """Make an empty repository with a remote to ``app``."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    remote = f"{url.replace('://', f'://git:{token}@')}/{app}.git"
    tree = Checkout(folder, remote)
    await tree.must("init", "-q", "-b", "main")
    await tree.must("remote", "add", "heroku", remote)
    return tree


def unpacked(source: bytes) -> tarfile.TarFile:
    """Return the archive of a pushed commit without its packing."""
    done = subprocess.run(["zstd", "-dcq"], input=source, capture_output=True, check=True)
    return tarfile.open(fileobj=io.BytesIO(done.stdout))
