"""The words of a push, as Heroku prints them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

from haikube.cluster.port import Json
from haikube.git.builds import Repository
from haikube.git.console import Console
from haikube.git.refusal import Refused
from haikube.git.source import Tree

_PATIENCE: Final = 3.0
_REJECTED: Final = b"Push rejected"
_FAILED: Final = b"Push failed"
_LAST_WORDS: Final = 8192


Asked = Callable[[], Awaitable[str]]


class Narrator:
    """Passes the build's log on, and says what keeps it from going on where it is silent.

    ``ask`` returns that in one sentence, or nothing.
    """

    def __init__(self, console: Console, build: str, ask: Asked) -> None:
        self._console = console
        self._build = build
        self._ask = ask
        self._next_look = monotonic() + _PATIENCE
        self._asked_for_patience = False
        self._told = ""
        self._tail = b""

    async def hear(self, chunk: bytes) -> None:
        """Take a chunk of the log, or an empty one after a second of silence."""
        if chunk:
            self._next_look = monotonic() + _PATIENCE
            self._tail = (self._tail + chunk)[-_LAST_WORDS:]
            await self._console.output(chunk)
        elif monotonic() > self._next_look:
            self._next_look = monotonic() + _PATIENCE
            await self._look()

    async def listen_until(self, end: Coroutine[Any, Any, Json]) -> Json:
        """Return what a coroutine returns, and tell meanwhile what it waits for."""
        waited = asyncio.create_task(end)
        try:
            while not (await asyncio.wait([waited], timeout=1))[0]:
                await self.hear(b"")
            return waited.result()
        finally:
            waited.cancel()

    async def _look(self) -> None:
        if not self._asked_for_patience and not self._tail:
            self._asked_for_patience = True
            await self._console.line(
                f"Waiting for the cluster to start the build ({self._build})..."
            )
        found = await self._ask()
        if found and found != self._told:
            self._told = found
            await self._console.end_line()
            await self._console.line(f" !     {found}")

    def said(self, words: bytes) -> bool:
        """Tell whether the log ended with these words, or nearly so."""
        return words in self._tail


@asynccontextmanager
async def telling_storage(console: Console) -> AsyncIterator[asyncio.Task[None]]:
    """Say what is waited for if what is done within takes long; the task may be called off."""
    telling = asyncio.create_task(_tell_storage(console))
    try:
        yield telling
    finally:
        telling.cancel()


async def _tell_storage(console: Console) -> None:
    await asyncio.sleep(_PATIENCE)
    await console.end_line()
    await console.line("Waiting for the object storage...")


async def received(console: Console, commit: str, tree: Tree) -> None:
    """Say what arrived."""
    await console.line(f"Updated {tree.files} paths from {commit[:7]}")


async def stored(console: Console, branches: list[str]) -> None:
    """Say which branches came along and are not deployed."""
    for branch in branches:
        await console.line(f"Branch {branch} is stored, not deployed: only main and master are.")
        await console.line(f"To deploy it: git push heroku {branch}:main")


async def failed(console: Console, repository: Repository, build: Json, narrator: Narrator) -> None:
    """Say why there is no release: raises ``Refused``."""
    status = build.get("status") or {}
    failure = status.get("failure") or {}
    reason = failure.get("message") or f"the build ended as {status.get('result', 'Unknown')}"
    if not narrator.said(_REJECTED) and not narrator.said(_FAILED):
        language = status.get("language")
        what = f", failed to compile {language} app." if language else "."
        await console.line()
        await console.line(f" !     Push rejected{what}")
    if not narrator.said(_FAILED):
        await console.line()
        await console.line(" !     Push failed")
    log = f"Log: haikube builds logs {build['metadata']['name']} --app {repository.called}"
    raise BuildFailed("" if narrator.said(reason.encode()) else reason, log)


async def launched(console: Console, repository: Repository, status: Json) -> None:
    """Say which release came out and where it answers."""
    version = (status.get("release") or {}).get("version")
    await console.line("-----> Launching...")
    if not version:
        await console.line(" !     The platform has made no release of it yet.")
        await console.line(
            f" !     See: kubectl -n {repository.namespace} get app {repository.app}"
        )
        return
    if has_release_phase({"status": status}):
        await console.line(
            " !     Release command declared: "
            "this new release will not be available until the command succeeds."
        )
    await console.line(f"       Released v{version}")
    await console.line(f"       {repository.url} deployed to Haikube")
    await console.line()


def has_release_phase(build: Json) -> bool:
    """Tell whether the app of a build declares a release command."""
    status = build.get("status") or {}
    types = (status.get("slug") or {}).get("processTypes") or []
    return bool(status.get("release")) and any(kind.get("name") == "release" for kind in types)


async def release_ended(console: Console, app: str, release: Json, *, succeeded: bool) -> None:
    """Say how the release command ended; after a failure the old release goes on serving."""
    await console.line(f"Waiting for release.... {'done' if succeeded else 'failed'}.")
    if not succeeded:
        again = f"haikube releases retry v{release.get('version')} --app {app}"
        await console.line(" !     The release command failed: the release before goes on serving.")
        await console.line(
            " !     If the reason lies outside the app, run it again once that is over:"
        )
        await console.line(f" !     {again}")


async def held_against(console: Console) -> None:
    """Say why a push whose commit is stored ends as rejected."""
    await console.line()
    await console.line(" !     This platform lets such a push fail (HAIKUBE_STRICT_RELEASE).")
    await console.line(" !     The commit is stored all the same: git reports it as rejected.")


async def done_before(console: Console, commit: str) -> None:
    """Say that a push that lost its platform has come through after all."""
    await console.line(f"Commit {commit[:7]} was built and released by an earlier push already.")


class BuildFailed(Refused):
    """The build failed; there is no reason where its own log has said it already."""


async def verified(console: Console, problem: str) -> None:
    """Say whether the release runs; the push has succeeded either way, as on Heroku."""
    if not problem:
        await console.line("done.")
        return
    await console.line("failed.")
    runs = problem.startswith("the gateway")
    what = "The release runs, but" if runs else "The release does not run:"
    await console.line(f" !     {what} {problem}")


async def goes_on(console: Console, version: int) -> None:
    """Say that visitors see an older release, and how to have it back."""
    await console.line(
        f" !     v{version} goes on serving; heroku rollback v{version} leaves it so."
    )


async def rejected(console: Console, app: str, refused: Refused) -> None:
    """Say why a push is refused and what to do: after Heroku's own words, where there are some."""
    await console.end_line()
    failed = isinstance(refused, BuildFailed)
    if failed:
        await console.line("Verifying deploy...")
    else:
        await _explain(console, refused)
    await console.line()
    await console.line(f"!\tPush rejected to {app}.")
    await console.line()
    if failed:
        await _explain(console, refused)


async def _explain(console: Console, refused: Refused) -> None:
    for text in (refused.reason, *refused.remedy):
        for line in text.splitlines():
            await console.line(f" !     {line}")
