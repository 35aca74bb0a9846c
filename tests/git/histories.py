"""Random work of a person with git, and a storage that fails at random: for one seed the same."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from git.client import Checkout, Done
from haikube.storage.memory import MemoryStorage
from haikube.storage.port import StorageError

MAIN = "refs/heads/main"
_PATIENCE = 60.0


class Flaky(MemoryStorage):
    """Fails a share of all calls, half of the writes only after they were carried out."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self.rate = 0.0

    async def swap(self, key: str, data: bytes, *, etag: str | None) -> str:
        await asyncio.sleep(self.random.random() / 200)
        stored = await super().swap(key, data, etag=etag)
        self._require_up("put", key)
        return stored

    async def read_version(self, key: str, *, limit: int) -> tuple[bytes, str]:
        found = await super().read_version(key, limit=limit)
        await asyncio.sleep(self.random.random() / 200)
        return found

    def _require_up(self, act: str, key: str) -> None:
        super()._require_up(act, key)
        if self.random.random() < self.rate:
            raise StorageError(f"storage: {act} of {key} failed: no answer")


@dataclass
class Person:
    """Somebody with a clone who does this and that, and pushes."""

    tree: Checkout
    random: Random
    big: int
    """Bytes of the largest file there ever is."""
    serial: int = 0
    wishes: dict[str, str] = field(default_factory=dict)
    """What the last push asked for: refs and what they are to be, empty for their end."""
    won: dict[str, str] = field(default_factory=dict)
    """Those of which it was told that they came through."""

    async def work(self) -> None:
        """Change something and commit it."""
        acts: list[Callable[[], Awaitable[object]]] = [
            self._edit,
            self._edit,
            self._rename,
            self._delete,
            self._merge,
            self._amend,
            self._empty,
            self._tag,
            self._large,
        ]
        for act in self.random.sample(acts, self.random.randint(1, 3)):
            await act()

    async def push(self) -> Done:
        """Push some refs; what was asked for is in ``wishes``."""
        branch = {MAIN: await self._name("main")} if self.random.random() < 0.8 else {}
        tags = (await self.tree.must("tag", "--list")).split()
        chosen = self.random.sample(tags, min(len(tags), self.random.randint(0, 2)))
        self.wishes = branch | {f"refs/tags/{tag}": await self._name(tag) for tag in chosen}
        if self.random.random() < 0.2:
            self.wishes[f"refs/heads/side-{self.random.randint(1, 2)}"] = await self._name("main")
        if tags and self.random.random() < 0.1:
            self.wishes[f"refs/tags/{self.random.choice(tags)}"] = ""
        specs = [f"{target}:{ref}" for ref, target in self.wishes.items()]
        force = ["--force"] if self.random.random() < 0.7 else []
        atomic = ["--atomic"] if self.random.random() < 0.2 else []
        if not specs:
            self.won = {}
            return Done(1, "nothing to push")
        return self._told(
            await self.tree.git("push", "--porcelain", *force, *atomic, "heroku", *specs)
        )

    async def push_shallow(self) -> Done:
        """Push main from a clone of depth 1 of this one."""
        self.serial += 1
        folder = self.tree.folder.with_name(f"{self.tree.folder.name}-shallow-{self.serial}")
        url = f"file://{self.tree.folder}"
        await self.tree.must("clone", "-q", "--depth", "1", "--branch", "main", url, str(folder))
        clone = Checkout(folder, self.tree.remote)
        await clone.must("remote", "add", "heroku", self.tree.remote)
        await clone.commit({"shallow.txt": str(self.random.random())})
        self.wishes = {MAIN: await clone.must("rev-parse", "main")}
        process = await clone.start("push", "--porcelain", "--force", "heroku", "main")
        try:
            said, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError:  # git 2.39 waits for itself where its pack cannot be made
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            return self._told(Done(1, ""))
        return self._told(Done(process.returncode or 0, said.decode(errors="replace")))

    def _told(self, done: Done) -> Done:
        """Note what git says of each ref: ``flag``, ``from:to`` and a summary between tabs."""
        lines = [line.split("\t") for line in done.said.splitlines() if line.count("\t") == 2]
        fine = {pair.rpartition(":")[2] for flag, pair, _ in lines if flag != "!"}
        self.won = {ref: target for ref, target in self.wishes.items() if ref in fine}
        return done

    async def catch_up(self) -> None:
        """Take over what others pushed, at times."""
        if self.random.random() < 0.5 or not await self.tree.must("ls-remote", "heroku", MAIN):
            return
        await self.tree.must("fetch", "-q", "heroku", "main")
        how = self.random.choice(["reset", "merge"])
        if how == "merge":
            options = ("--allow-unrelated-histories", "--strategy-option=ours", "-m", "merge")
            done = await self.tree.git("merge", "-q", *options, "FETCH_HEAD")
            if not done.status:
                return
            await self.tree.git("merge", "--abort")
        await self.tree.must("reset", "-q", "--hard", "FETCH_HEAD")

    async def _name(self, ref: str) -> str:
        return await self.tree.must("rev-parse", ref)

    def _files(self) -> list[Path]:
        return sorted(path for path in self.tree.folder.glob("*.txt") if path.is_file())

    async def _edit(self) -> None:
        name = f"{self.random.choice('abcd')}.txt"
        text = "".join(self.random.choices("xyz\n", k=self.random.randint(1, 400)))
        await self.tree.commit({name: text, "kept.py": "1"})

    async def _rename(self) -> None:
        if files := self._files():
            chosen = self.random.choice(files)
            chosen.rename(chosen.with_name(f"{self.random.choice('efgh')}.txt"))
            await self.tree.commit({})

    async def _delete(self) -> None:
        if files := self._files():
            self.random.choice(files).unlink()
            await self.tree.commit({})

    async def _empty(self) -> None:
        await self.tree.commit({})

    async def _amend(self) -> None:
        self.serial += 1
        await self.tree.must(
            "commit", "-q", "--amend", "--allow-empty", "-m", f"again {self.serial}"
        )

    async def _tag(self) -> None:
        self.serial += 1
        options = ["-a", "-m", "tag"] if self.random.random() < 0.5 else []
        name = f"v{self.serial}-{self.tree.folder.name}"
        await self.tree.must("tag", "--force", *options, name)

    async def _merge(self) -> None:
        """Make a side branch and merge it; where both sides touched a file, main's stays."""
        await self.tree.must("checkout", "-q", "-b", "topic")
        await self._edit()
        await self.tree.must("checkout", "-q", "main")
        await self._edit()
        options = ("--no-ff", "--strategy-option=ours", "-m", "merge")
        done = await self.tree.git("merge", "-q", *options, "topic")
        if done.status:
            await self.tree.must("merge", "--abort")
        await self.tree.must("branch", "-q", "-D", "topic")

    async def _large(self) -> None:
        if self.random.random() < 0.3:
            path = self.tree.folder / "large.bin"
            await asyncio.to_thread(path.write_bytes, self.random.randbytes(self.big))
            await self.tree.commit({})
