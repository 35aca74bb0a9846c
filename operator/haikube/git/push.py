"""One push from the hook's call to the verdict: lock, source, build, release, refs.

Refs move only after the build succeeded, in one write that also gives the lock back. Everything
before can be lost at any point without a trace that matters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.git import report
from haikube.git.builds import Listener, Repository, archive_source, create_build, require_right
from haikube.git.command import PACKED, Git, GitError
from haikube.git.console import Console
from haikube.git.hooks import Call, Update
from haikube.git.lock import Pace, PushLock
from haikube.git.manifest import ABSENT, Lock, Manifest, Manifests, Pending, is_ref
from haikube.git.packs import PackCache
from haikube.git.refusal import Refused
from haikube.git.snapshot import Snapshot
from haikube.git.source import Archive, Source
from haikube.model.names import source_key
from haikube.model.resources import BUILDS
from haikube.storage.port import Storage, StorageError

DEPLOY_REFS: Final = ("refs/heads/main", "refs/heads/master")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Platform:
    """What every push needs: the parts that are one per process, and its limits.

    ``own`` is the api's own client: who was allowed to start a build may hear how it goes, even
    when the token expires meanwhile.
    """

    git: Git
    storage: Storage
    manifests: Manifests
    packs: PackCache
    listener: Listener
    own: Cluster
    pace: Pace
    source_limit: int
    push_timeout: float


class Push:
    """One call of the hook."""

    def __init__(
        self, platform: Platform, repository: Repository, snapshot: Snapshot, console: Console
    ) -> None:
        self._platform = platform
        self._repository = repository
        self._snapshot = snapshot
        self._console = console

    async def decide(self, call: Call) -> bool:
        """Carry the push out; returns whether git may move the refs."""
        try:
            async with asyncio.timeout(self._platform.push_timeout):
                await self._carry_out(call)
        except Refused as refused:
            await report.rejected(self._console, self._repository.app, refused)
            return False
        except TimeoutError:
            limit = f"{self._platform.push_timeout:.0f} s"
            late = Refused(f"The push took longer than {limit}", "Push again")
            await report.rejected(self._console, self._repository.app, late)
            return False
        except (StorageError, ApiError, GitError) as error:
            _log.warning("push failed", app=self._repository.app, error=str(error))
            failed = Refused(str(error), "Nothing was changed: push again when it is repaired")
            await report.rejected(self._console, self._repository.app, failed)
            return False
        return True

    async def _carry_out(self, call: Call) -> None:
        deploy = choose(call.updates)
        await require_right(self._repository)
        lock = PushLock(
            self._platform.manifests,
            self._repository.uid,
            self._repository.author,
            pace=self._platform.pace,
            settle=self._settle,
        )
        manifest = await lock.acquire(self._tell_waiting)
        packs: tuple[str, ...] = ()
        try:
            if deploy is not None and manifest.get(deploy.ref) == deploy.new:
                await report.done_before(self._console, deploy.new)
                await lock.release()
                return
            for update in call.updates:
                require_unmoved(update, manifest)
            objects = self._objects(call)
            packs = await self._store_packs(objects)
            refs = {update.ref: update.new for update in call.updates}
            version = 0
            if deploy is not None:
                version = await self._deploy(deploy, objects, lock, (refs, packs))
            await lock.finish(refs, packs)
        except BaseException:
            await asyncio.shield(self._undo(lock, packs, manifest))
            raise
        if version:
            await self._verify(version)

    async def _verify(self, version: int) -> None:
        """Wait until the release runs; the refs have moved already, whatever comes of it."""
        await self._console.begin("Verifying deploy... ")
        place = (self._platform.own, self._repository.namespace, self._repository.app)
        try:
            problem = await self._platform.listener.boot_problem(*place, version)
        except (ApiError, TimeoutError) as error:
            problem = f"it cannot be told: {error}"
        await report.verified(self._console, problem)

    async def _settle(self, pending: Pending) -> bool | None:
        """Tell how the build of a push that died has ended; one that is gone has failed."""
        try:
            build = await self._platform.own.get(BUILDS, pending.build, pending.namespace)
        except NotFound:
            return False
        result = (build.get("status") or {}).get("result")
        return None if result in {None, "Pending", "Running"} else result == "Succeeded"

    async def _tell_waiting(self, holder: Lock) -> None:
        await self._console.line(
            f"Waiting for another push to {self._repository.app} by {holder.author} to finish..."
        )

    def _objects(self, call: Call) -> Path:
        """Return where the pushed objects are, which is inside this push's own snapshot."""
        objects = Path(call.objects or self._snapshot.path / "objects").resolve()
        if not objects.is_relative_to(self._snapshot.path.resolve()):
            raise Refused("The hook named objects of another repository", "Push again")
        return objects

    async def _store_packs(self, objects: Path) -> tuple[str, ...]:
        if objects == (self._snapshot.path / "objects").resolve():
            return ()  # nothing was sent: the objects were here before
        return await self._platform.packs.upload(self._repository.uid, objects / "pack")

    async def _deploy(
        self,
        update: Update,
        objects: Path,
        lock: PushLock,
        change: tuple[Mapping[str, str], tuple[str, ...]],
    ) -> int:
        """Build and release what was pushed; returns the version to wait for, 0 for none."""
        source = Source(self._platform.git, self._snapshot, objects)
        commit = await source.commit(update.new)
        archive = await self._pack(source, commit)
        build = await create_build(self._repository, archive_source(archive), commit)
        name = build["metadata"]["name"]
        await lock.announce(Pending(self._repository.namespace, name, *change))
        return await self._follow(name)

    async def _pack(self, source: Source, commit: str) -> Archive:
        tree = await source.inspect(commit)
        if not tree.files:
            raise Refused(
                f"Commit {commit[:7]} has no files",
                "Add your app first: git add . && git commit -m 'Add the app'",
            )
        await report.received(self._console, commit, tree)
        await self._console.begin("Compressing source files... ")
        key = source_key(self._repository.uid, f"{commit}.{PACKED}")
        archive = await source.store(
            commit, tree, self._platform.storage, key, self._platform.source_limit
        )
        await self._console.line("done.")
        return archive

    async def _follow(self, name: str) -> int:
        """Print the build's log and how it ended; raises ``Refused`` when it failed."""
        where = (self._platform.own, self._repository.namespace, name)
        await self._console.line("Building source:")
        await self._console.line()
        listener = self._platform.listener
        narrator = report.Narrator(self._console, name, lambda: listener.obstacle(*where))
        async for chunk in listener.stream(*where):
            await narrator.hear(chunk)
        await self._console.end_line()
        build: Json = await narrator.listen_until(listener.finished(*where))
        await report.ended(self._console, self._repository, build, narrator)
        succeeded = await self._run_release_phase(build)
        release = build["status"].get("release") or {}
        return int(release.get("version") or 0) if succeeded else 0

    async def _run_release_phase(self, build: Json) -> bool:
        """Print the release command; its failure fails the release, never the push."""
        if not report.has_release_phase(build):
            return True
        where = (
            self._platform.own,
            self._repository.namespace,
            str(build["status"]["release"]["name"]),
        )
        await self._console.line("Running release command....")
        async for chunk in self._platform.listener.release_phase(*where):
            await self._console.output(chunk)
        await self._console.end_line()
        succeeded = await self._platform.listener.released(*where)
        await report.release_ended(self._console, succeeded=succeeded)
        return succeeded

    async def _undo(self, lock: PushLock, packs: tuple[str, ...], before: Manifest) -> None:
        """Give the lock back and drop packs nobody refers to; a failure here harms nothing."""
        try:
            if await lock.release():
                unused = [pack for pack in packs if pack not in before.packs]
                await self._platform.packs.remove(self._repository.uid, unused)
        except StorageError as error:
            _log.warning("push not undone", app=self._repository.app, error=str(error))


def choose(updates: tuple[Update, ...]) -> Update | None:
    """Return the update that deploys, None for tags alone; raises ``Refused``."""
    for update in updates:
        require_allowed(update)
    deploys = [update for update in updates if update.ref in DEPLOY_REFS]
    if len(deploys) > 1:
        raise Refused(
            "A push deploys one branch, and both main and master were sent",
            "Push one of them: git push heroku main",
        )
    return deploys[0] if deploys else None


def require_allowed(update: Update) -> None:
    """Raise ``Refused`` for deletions and for anything that is neither deployed nor a tag."""
    short = update.ref.removeprefix("refs/heads/")
    if update.new == ABSENT:
        raise Refused(f"Cannot delete {short}", "To remove the app: haikube destroy APP")
    if not is_ref(update.ref):
        raise Refused(f"{update.ref} cannot be pushed", "Push a branch: git push heroku main")
    if update.ref.startswith("refs/heads/") and update.ref not in DEPLOY_REFS:
        raise Refused(
            f"Branch {short} is not deployed, only main and master are",
            f"To deploy it: git push heroku {short}:main",
        )


def require_unmoved(update: Update, manifest: Manifest) -> None:
    """Raise ``Refused`` when somebody else moved the ref after this client looked."""
    current = manifest.get(update.ref)
    if current != update.old:
        raise Refused(
            f"{update.ref} was moved to {current[:7]} by another push",
            "Integrate it first: git pull heroku main, then push again",
        )
