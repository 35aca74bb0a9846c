"""After the refs have moved: release phase and first boot, told while the person waits.

The push has succeeded, whatever comes of its release: nothing here refuses or undoes anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.git import report
from haikube.git.builds import Listener, Repository
from haikube.git.console import Console
from haikube.model import labels
from haikube.model.resources import RELEASES
from haikube.storage.port import StorageError


@dataclass(frozen=True, slots=True)
class Launch:
    """One release of ``repository`` and who listens to it, for at most ``seconds``."""

    repository: Repository
    own: Cluster
    listener: Listener
    console: Console
    seconds: float

    async def tell(self, build: Json) -> bool:
        """Print what becomes of the release of a build; returns False when its command failed."""
        await report.launched(self.console, self.repository, build["status"])
        try:
            async with asyncio.timeout(self.seconds):
                if not await self._run_release_phase(build):
                    return False
                await self._verify(build)
        except (StorageError, ApiError, TimeoutError) as error:
            await self.console.end_line()
            why = str(error) or f"it takes longer than the push may, {self.seconds:.0f} s more"
            await self.console.line(f" !     What becomes of the release cannot be told: {why}")
        return True

    async def _run_release_phase(self, build: Json) -> bool:
        """Print the release command; its failure fails the release, never the push."""
        if not report.has_release_phase(build):
            return True
        where = (
            self.own,
            self.repository.namespace,
            str(build["status"]["release"]["name"]),
        )
        await self.console.line("Running release command....")
        async for chunk in self.listener.release_phase(*where):
            await self.console.output(chunk)
        await self.console.end_line()
        succeeded = await self.listener.released(*where)
        release = build["status"]["release"]
        called = self.repository.called
        await report.release_ended(self.console, called, release, succeeded=succeeded)
        return succeeded

    async def _verify(self, build: Json) -> None:
        """Wait until the release runs."""
        version = int((build["status"].get("release") or {}).get("version") or 0)
        if not version:
            return
        await self.console.begin("Verifying deploy... ")
        place = (self.own, self.repository.namespace, self.repository.app)
        try:
            problem = await self.listener.boot_problem(*place, version)
        except (ApiError, TimeoutError) as error:
            problem = f"it cannot be told: {error}"
        await report.verified(self.console, problem)
        if problem and (before := await self._answering()) and before != version:
            await report.goes_on(self.console, before)

    async def _answering(self) -> int:
        """Return the version of the release whose dynos answer, 0 where none do."""
        repository = self.repository
        found = await self.own.list(
            RELEASES, repository.namespace, labels=f"{labels.APP_UID}={repository.uid}"
        )
        serving = (each for each in found.items if (each.get("status") or {}).get("serving"))
        return max((int(each["spec"]["version"]) for each in serving), default=0)
