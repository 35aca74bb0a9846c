"""One push from the hook's call to the verdict: lock, source, build, refs, release.

Until the build is announced everything can be lost without a trace that matters. From then on the
build decides, and nothing is undone but after its failure. Refs move as soon as it succeeded, in
one write that also gives the lock back; release phase and dynos come after that.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.git import report
from haikube.git.builds import Listener, Repository, archive_source, new_name
from haikube.git.command import PACKED, Git, GitError
from haikube.git.console import Console
from haikube.git.hooks import Call, Update
from haikube.git.launch import Launch
from haikube.git.limits import Limits
from haikube.git.lock import Pace, PushLock
from haikube.git.manifest import ABSENT, Lock, Manifest, Manifests, Pending
from haikube.git.packs import PackCache
from haikube.git.quota import NoRoom, brought, measured
from haikube.git.refusal import Refused
from haikube.git.rules import choose, require_room, require_unmoved, stored_only
from haikube.git.snapshot import Snapshot, unsound
from haikube.git.soundness import require_sound
from haikube.git.source import Archive, Source
from haikube.git.verdict import Attempt, Undecided, settled, succeeded
from haikube.model.names import source_key
from haikube.storage.port import Storage, StorageError

_LEAST: Final = 5.0
"""Seconds that the end of a push has in any case to tell how its release does."""

_TRIES: Final = 8
_PAUSE: Final = 0.5
"""Of writing the end of a push down; the first of them alone waits for some seconds."""

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
    limits: Limits
    strict: bool = False
    """Whether a push fails whose release command does."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What a push changes: refs and the packs they need; ``fresh`` are the ones it brought."""

    refs: dict[str, str]
    packs: tuple[str, ...]
    fresh: tuple[str, ...]
    broken: dict[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    def applied(self, manifest: Manifest) -> Manifest:
        """Return the manifest after the push, without what is damaged beyond repair."""
        return manifest.mended(self.broken, self.lost).advance(self.refs, self.packs)


class Push:
    """One call of the hook."""

    def __init__(
        self, platform: Platform, repository: Repository, snapshot: Snapshot, console: Console
    ) -> None:
        self._platform = platform
        self._repository = repository
        self._snapshot = snapshot
        self._console = console
        self._deadline = monotonic() + platform.limits.push_seconds
        self._moves = Moves({}, (), ())
        self.crowded = False
        """Whether room is wanted: it was refused, or it deleted what a full repository had."""
        self._open = False
        """Whether the build was announced and has no result yet."""

    async def decide(self, call: Call) -> bool:
        """Carry the push out; returns whether the refs are to move."""
        try:
            build = await self._carry_out(call)
        except Refused as refused:
            self.crowded = isinstance(refused, NoRoom)
            await report.rejected(self._console, self._repository.called, refused)
            return False
        except (StorageError, ApiError, GitError) as error:
            _log.warning("push failed", app=self._repository.app, error=str(error))
            failed = Refused(str(error), "Push again when it is repaired")
            await report.rejected(self._console, self._repository.called, failed)
            return False
        if build is None or await self._launch().tell(build) or not self._platform.strict:
            return True
        await report.held_against(self._console)
        return False

    async def _carry_out(self, call: Call) -> Json | None:
        """Move the refs; returns the build that succeeded, None where nothing was deployed."""
        deploy = choose(call.updates)
        lock = self._lock()
        try:
            build = await self._under_lock(lock, call, deploy)
        except BaseException as error:
            await asyncio.shield(self._give_back(lock))
            if isinstance(error, TimeoutError):
                raise self._late() from None
            raise
        await self._finish(lock)
        return build

    async def _under_lock(self, lock: PushLock, call: Call, deploy: Update | None) -> Json | None:
        """Do all that can fail: check, store, build."""
        async with asyncio.timeout(self._left()):
            manifest = await self._acquire(lock)
            manifest = manifest.mended(self._snapshot.broken, self._snapshot.lost)
            for update in call.updates:
                require_unmoved(update, manifest)
            require_room(call.updates, manifest, self._platform.limits.refs)
            await require_sound(self._platform.git, self._snapshot, call)
            await self._store_packs(call, manifest)
            await report.stored(self._console, stored_only(call.updates, deploy))
            if deploy is None:
                return None
            if manifest.get(deploy.ref) == deploy.new:
                await report.done_before(self._console, deploy.new)
                return None
            commit = deploy.new
            archive = await self._pack(commit)
            name = new_name(self._repository.app)
            pending = Pending(self._repository.namespace, name, self._moves.refs, self._moves.packs)
            async with report.telling_storage(self._console):
                await lock.announce(pending)
        parts = (self._repository, self._platform.own, self._platform.listener)
        return await self._build(Attempt(*parts, name, lock.id), archive, commit)

    async def _build(self, attempt: Attempt, archive: Archive, commit: str) -> Json:
        """Return the build after its success; raises ``Refused`` when there is no release."""
        self._open = True
        try:
            build = await self._result(attempt, archive, commit)
        except Undecided:
            raise
        except Refused:
            self._open = False
            raise
        self._open = False
        return build

    async def _result(self, attempt: Attempt, archive: Archive, commit: str) -> Json:
        narrator = report.Narrator(self._console, attempt.name, attempt.obstacle)
        try:
            async with asyncio.timeout(self._left()):
                await attempt.create(archive_source(archive), commit)
                await self._console.line("Building source:")
                await self._console.line()
                build = await attempt.follow(self._console, narrator)
        except TimeoutError:
            late = self._late()
            build = await attempt.stop(late.reason)
            if not succeeded(build):
                raise late from None
        if not succeeded(build):
            await report.failed(self._console, self._repository, build, narrator)
        return build

    def _lock(self) -> PushLock:
        async def settle(pending: Pending) -> bool | None:
            return await settled(self._repository, self._platform.own, pending)

        return PushLock(
            self._platform.manifests,
            self._repository.uid,
            self._repository.author,
            pace=self._platform.pace,
            settle=settle,
        )

    def _launch(self) -> Launch:
        parts = (self._repository, self._platform.own, self._platform.listener)
        return Launch(*parts, self._console, max(self._left(), _LEAST))

    def _left(self) -> float:
        return self._deadline - monotonic()

    def _late(self) -> Refused:
        return Refused(
            f"The push took longer than {self._platform.limits.push_seconds:.0f} s", "Push again"
        )

    async def _acquire(self, lock: PushLock) -> Manifest:
        called = self._repository.called
        async with report.telling_storage(self._console) as telling:

            async def tell_waiting(holder: Lock) -> None:
                telling.cancel()
                await self._console.line(
                    f"Waiting for another push to {called} by {holder.author} to finish..."
                )

            return await lock.acquire(tell_waiting)

    async def _store_packs(self, call: Call, manifest: Manifest) -> None:
        """Store what came; packs that this push was built upon are named again if they retired."""
        snapshot = self._snapshot
        known = tuple(pack for pack in snapshot.manifest.packs if pack not in snapshot.lost)
        uid, directory = self._repository.uid, self._snapshot.path / "objects" / "pack"
        limit = self._platform.limits.repository
        quota = await measured(self._platform.packs, uid, manifest, limit)
        self.crowded = quota.crowded and any(update.new == ABSENT for update in call.updates)
        quota.require(brought(directory, known))
        async with report.telling_storage(self._console):
            fresh = await self._platform.packs.upload(uid, directory, known)
        refs = {update.ref: update.new for update in call.updates}
        broken = await unsound(self._platform.git, snapshot.path, snapshot.broken)
        self._moves = Moves(refs, (*known, *fresh), fresh, broken, snapshot.lost)
        if broken:
            names = ", ".join(sorted(broken))
            await self._console.line(f" !     Dropped, for parts of it were lost: {names}")

    async def _pack(self, commit: str) -> Archive:
        source = Source(self._platform.git, self._snapshot)
        tree = await source.inspect(commit)
        if not tree.files:
            raise Refused(
                f"Commit {commit[:7]} has no files",
                "Add your app first: git add . && git commit -m 'Add the app'",
            )
        await report.received(self._console, commit, tree)
        await self._console.begin("Compressing source files... ")
        key = source_key(self._repository.uid, f"{commit}.{PACKED}")
        async with report.telling_storage(self._console):
            archive = await source.store(
                commit, tree, self._platform.storage, key, self._platform.limits.source
            )
        await self._console.line("done.")
        return archive

    async def _finish(self, lock: PushLock) -> None:
        """Move the refs; after a build they have moved already, for all who look."""
        async with report.telling_storage(self._console):
            await self._write_down(lock)

    async def _write_down(self, lock: PushLock) -> None:
        for left in reversed(range(_TRIES)):
            try:
                await lock.finish(self._moves.applied)
            except StorageError as error:
                if not left and not lock.announced:
                    await asyncio.shield(self._give_back(lock))
                    raise
                failure = str(error)
                await asyncio.sleep(_PAUSE)
            else:
                return
        _log.warning("push left to the next", app=self._repository.app, error=failure)
        await asyncio.shield(self._leave(lock))

    async def _give_back(self, lock: PushLock) -> None:
        """Give the lock back; a failure here harms nothing.

        Packs that nobody has named go at once. While the build is open all stays as announced.
        """
        if self._open:
            await self._leave(lock)
            return
        try:
            if await lock.release():
                await self._platform.packs.remove(self._repository.uid, self._moves.fresh)
        except StorageError as error:
            _log.warning("push not undone", app=self._repository.app, error=str(error))

    async def _leave(self, lock: PushLock) -> None:
        try:
            await lock.leave()
        except StorageError as error:
            _log.warning("lock left to its term", app=self._repository.app, error=str(error))
