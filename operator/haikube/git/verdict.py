"""The build of a push, from its announcement to its result: the one thing that decides the push.

Its name is in the manifest before it is in the cluster. From then on whoever comes by can find out
how the push has ended, so nothing here is undone because of an answer that is missing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from haikube.cluster import errors
from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.git.builds import Listener, Repository, create_build, forestall
from haikube.git.console import Console
from haikube.git.manifest import Pending
from haikube.git.refusal import Refused
from haikube.git.report import Narrator
from haikube.model import labels
from haikube.model.resources import BUILDS
from haikube.storage.port import StorageError

_OPEN: Final = frozenset({None, "Pending", "Running"})
_TRIES: Final = 10
_PAUSE: Final = 1.0
_STOPPING: Final = 30.0


class Undecided(Refused):
    """Nobody can tell yet how the build ends: the next push will."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The build of one push: its ``name``, and the ``push`` that announced it."""

    repository: Repository
    own: Cluster
    listener: Listener
    name: str
    push: str

    async def create(self, source: dict[str, Any], version: str) -> None:
        """Create the Build once, however often the cluster has to be asked."""
        for left in reversed(range(_TRIES)):
            try:
                await create_build(self.repository, source, version, name=self.name, push=self.push)
            except errors.AlreadyExists:
                await self._require_ours()
                return
            except ApiError as error:
                if not left:
                    await self.stop(f"The cluster did not take the build: {error.message}")
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def follow(self, console: Console, narrator: Narrator) -> Json:
        """Print the log and return the Build once it has a result."""
        try:
            async for chunk in self.listener.stream(*self._place()):
                await narrator.hear(chunk)
        except (StorageError, ApiError) as error:
            await console.end_line()
            await console.line(f" !     The rest of the log cannot be read: {error}")
        await console.end_line()
        while True:
            try:
                return await narrator.listen_until(self.listener.finished(*self._place()))
            except errors.NotFound:
                raise Refused(f"Build {self.name} was deleted before it ended") from None
            except ApiError:
                await asyncio.sleep(_PAUSE)

    async def obstacle(self) -> str:
        """Return what keeps the build from its release, empty where nothing does."""
        return await self.listener.obstacle(*self._place())

    async def stop(self, reason: str) -> Json:
        """Cancel the Build and return it with its result, which may be a success all the same."""
        try:
            async with asyncio.timeout(_STOPPING):
                if await forestall(self.repository, self.name):
                    raise Refused(reason, "Push again")
                cluster, wish = self.repository.cluster, {"spec": {"cancel": True}}
                await cluster.patch(BUILDS, self.name, self.repository.namespace, wish)
                return await self.listener.finished(*self._place())
        except (ApiError, TimeoutError) as error:
            raise Undecided(
                f"{reason}, and build {self.name} could not be canceled: {error}",
                "It may still become a release; the next push shows what came of it",
            ) from error

    async def _require_ours(self) -> None:
        build = await self.own.get(BUILDS, self.name, self.repository.namespace)
        if (build["metadata"].get("annotations") or {}).get(labels.PUSH) != self.push:
            raise Refused(
                "Another push took over while this one was held up", "Fetch, then push again"
            )

    def _place(self) -> tuple[Cluster, str, str]:
        return self.own, self.repository.namespace, self.name


async def outcome(own: Cluster, pending: Pending) -> bool | None:
    """Tell whether an announced build succeeded, None while that is open."""
    try:
        return succeeded(await own.get(BUILDS, pending.build, pending.namespace))
    except ApiError:
        return None


async def settled(repository: Repository, own: Cluster, pending: Pending) -> bool | None:
    """Tell how the build of a push that is gone has ended; one that was never made never will be.

    Its maker may only have been held up: the name is used up before that counts as a failure.
    """
    try:
        return succeeded(await own.get(BUILDS, pending.build, pending.namespace))
    except errors.NotFound:
        with suppress(ApiError):
            return False if await forestall(repository, pending.build) else None
    except ApiError:
        pass
    return None


def succeeded(build: Json) -> bool | None:
    """Tell whether a Build succeeded, None while it has no result."""
    result = (build.get("status") or {}).get("result")
    return None if result in _OPEN else bool(result == "Succeeded")
