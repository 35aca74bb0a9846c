"""The frame around every pass: which world a key stands for, and what a refusal looks like.

A refusal that somebody can do something about becomes a condition at once; it is raised all the
same, so that the queue backs off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from haikube.cluster.errors import Forbidden, Invalid, Unreachable
from haikube.engine.clock import Clock
from haikube.engine.commit import Committer
from haikube.engine.converge import Converger
from haikube.engine.outcome import Contested, Foreign
from haikube.engine.store import Store
from haikube.engine.worker import Key
from haikube.model import conditions, labels
from haikube.model.conditions import Verdict, progressing, stalled
from haikube.model.intents import Decision, Part
from haikube.model.resources import APPS, BUILDS, DYNOS, RELEASES, STACKS
from haikube.operator.certificates import KEY_OF_ALL, Certificates
from haikube.operator.world import Worlds
from haikube.plan.context import Context, Render
from haikube.plan.queue import admitted
from haikube.plan.rollout import turns
from haikube.plan.stack import plan_stack
from haikube.plan.whole import plan_world
from haikube.plan.world import Stored
from haikube.settings import Settings
from haikube.storage.port import StorageError

Object = Mapping[str, Any]

QUEUE = Key("Queue", "", "")
"""The key of the queue of all unfinished builds."""

_TO_AN_END = frozenset({BUILDS.kind, RELEASES.kind, DYNOS.kind})
_SUMMARY = frozenset(
    {conditions.SUCCEEDED, conditions.READY, conditions.RECONCILING, conditions.STALLED}
)
_ENDS = frozenset({"Succeeded", "Failed", "Canceled"})
_TERMINATING = "being terminated"


class Reconciler:
    """Brings what a key stands for to what it should be; called by the engine's workers.

    ``wake`` is called with the keys of apps whose turn to build has come.
    """

    def __init__(
        self,
        store: Store,
        worlds: Worlds,
        committer: Committer,
        wake: Callable[[Key], None],
        certificates: Certificates,
        *,
        render: Render,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._worlds = worlds
        self._committer = committer
        self._wake = wake
        self._certificates = certificates
        self._render = render
        self._settings = settings
        self._clock = clock
        self._converger = Converger(store, committer, self._confess, (StorageError,))
        self.storage_full: Callable[[], str] = str
        """Returns why no build may begin, or nothing."""

    async def __call__(self, key: Key) -> float | None:
        """Look once; returns the seconds until it should be looked at again."""
        if key.kind == STACKS.kind:
            return await self._stack(key)
        if key == QUEUE:
            self._queue()
            return None
        if key == KEY_OF_ALL:
            await self._certificates(self._context())
            return None
        return await self._app(key)

    async def _app(self, key: Key) -> float | None:
        stored: dict[str, Stored] = {}
        context = self._context()

        async def decide() -> Decision:
            world = await self._worlds.app(key.namespace, key.name, stored)
            return plan_world(world, context)

        try:
            done = await self._converger.converge(decide)
        except StorageError as error:
            raise Unreachable(0, "StorageUnavailable", str(error)) from error
        return done.requeue_after

    async def _stack(self, key: Key) -> float | None:
        obj = self._store.get(STACKS, "", key.name)
        if obj is None:
            return None
        view = self._worlds.stack(key.name)
        self._worlds.moving[key.name] = moves = turns(view, self._settings.stack_rollouts)
        for each in view.deployments:
            if each.meta.uid in moves:
                self._wake(Key(APPS.kind, each.meta.namespace, each.meta.labels[labels.APP]))
        plan = plan_stack(view, self._context())
        return (await self._committer.commit(plan, STACKS, obj)).requeue_after

    def _queue(self) -> None:
        """Wake the apps whose builds may begin now."""
        builds = self._worlds.unfinished()
        chosen = admitted(builds, self._settings.builds_at_once)
        for each in builds:
            if each.meta.uid in chosen and each.result == "Pending":
                self._wake(Key(APPS.kind, each.meta.namespace, each.app))

    def _context(self) -> Context:
        return Context(
            self._settings,
            self._render,
            self._clock.now(),
            storage_full=self.storage_full(),
            lends_users=self._worlds.lend_users(),
        )

    def _confess(self, part: Part, obj: Object, error: Exception) -> Mapping[str, Any] | None:
        """Return the status that tells of a refusal, if anybody can do something about it."""
        verdict = _leftover(error, self._store) or _verdict(error)
        status = obj.get("status") or {}
        if verdict is None or status.get("result") in _ENDS:
            return None  # how a thing has ended is on record, whatever is refused afterwards
        ends = part.resource.kind in _TO_AN_END
        told = conditions.completion(verdict) if ends else conditions.trio(verdict)
        generation = obj["metadata"].get("generation", 0)
        before = status.get("conditions", ())
        kept = [each for each in before if each["type"] not in _SUMMARY]
        stamped = conditions.stamp(before, told, generation, self._clock.now())
        return {**status, "observedGeneration": generation, "conditions": [*stamped, *kept]}


def _leftover(error: Exception, store: Store) -> Verdict | None:
    """Return that a name is still taken by what a deleted object owned, if it is."""
    if not isinstance(error, Foreign) or not error.uid or store.knows(error.uid):
        return None
    return progressing(
        "WaitingForCleanup",
        f"{error.resource.kind} {error.name} is what a deleted {error.owner} has left behind; "
        "Kubernetes is removing it",
    )


def _verdict(error: Exception) -> Verdict | None:
    if isinstance(error, Contested):
        return stalled("Contested", str(error))
    if isinstance(error, Foreign):
        return stalled("NameTaken", str(error))
    if isinstance(error, StorageError):
        return progressing("StorageUnavailable", f"the object storage does not answer: {error}")
    if not isinstance(error, Forbidden | Invalid) or _TERMINATING in error.message:
        return None
    reason = "QuotaExceeded" if "quota" in error.message else "WriteRefused"
    return stalled(reason, f"the cluster refuses what this needs: {error.message}")
