"""One pass over an aggregate: look, decide and write until all is written, then one status each.

Theory of operation. A decision is made on facts only. What must exist before something else (a
Secret that pods mount, a release that dynos run) is written, and then the whole is looked at again;
our own answers are in the store by then, so this waits for no watch. Statuses come last
and once: nobody sees one that the same pass would outdate.

A refusal keeps back what its own object still wanted, not the others: a quota for builds must not
stop a scaling. The object says so in its status, and the pass ends with that error, so that the
queue comes again with back-off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from haikube.cluster.errors import ApiError, NotFound, Unreachable
from haikube.engine.commit import Committer
from haikube.engine.outcome import Committed, Foreign, Stale
from haikube.engine.store import Store
from haikube.model.intents import Decision, Part

ROUNDS = 20
"""Rounds that a pass takes at most; a world that wants something else each time is a bug."""

Object = Mapping[str, Any]
Parts = tuple[Part, ...]
Decide = Callable[[], Awaitable[Decision]]
Confess = Callable[[Part, Object, Exception], Mapping[str, Any] | None]
"""Returns the status that tells of a refusal, or None if nobody can do anything about it."""

Refusals = dict[str, Exception]


class Unsettled(Exception):
    """Each round wants something else."""


class Converger:
    """Carries out what is decided; ``refusable`` are the errors that concern one part only."""

    def __init__(
        self,
        store: Store,
        committer: Committer,
        confess: Confess,
        refusable: tuple[type[Exception], ...],
    ) -> None:
        self._store = store
        self._committer = committer
        self._confess = confess
        self._refusable: tuple[type[Exception], ...] = (ApiError, Foreign, *refusable)

    async def converge(self, decide: Decide) -> Committed:
        """Bring everything to where ``decide`` has no more wishes."""
        refused: Refusals = {}
        total = 0
        for _ in range(ROUNDS):
            decision = await decide()
            wrote = await self._round(decision.parts, refused)
            total += wrote
            if not wrote:
                break
        else:
            raise Unsettled(f"{ROUNDS} rounds have not brought it to rest")
        parts = decision.conclude()
        total += await self._finish(parts, refused)
        for error in refused.values():
            raise error
        waits = [each.plan.requeue_after for each in parts if each.plan.requeue_after is not None]
        return Committed(total, min(waits, default=None))

    async def _round(self, parts: Parts, refused: Refusals) -> int:
        """Write what the parts want; an object that changed meanwhile counts as a write."""
        wrote = 0
        for part in parts:
            if part.meta.uid in refused or not part.plan.writes:
                continue
            try:
                wrote += await self._committer.write(part.plan.writes)
            except Stale:
                wrote += 1
            except Unreachable:
                raise
            except self._refusable as error:
                refused[part.meta.uid] = error
        return wrote

    async def _finish(self, parts: Parts, refused: Refusals) -> int:
        wrote = 0
        for part in parts:
            obj = self._store.get(part.resource, part.meta.namespace, part.meta.name)
            if obj is None or obj["metadata"]["uid"] != part.meta.uid:
                continue
            try:
                wrote += await self._status(part, obj, refused.get(part.meta.uid))
            except (Stale, NotFound):
                continue  # gone meanwhile: nothing is left to say of it
            except Unreachable:
                raise
            except ApiError as error:
                refused.setdefault(part.meta.uid, error)
        return wrote

    async def _status(self, part: Part, obj: Object, error: Exception | None) -> int:
        status = part.plan.status if error is None else self._confess(part, obj, error)
        if status is None:
            return 0
        wrote = await self._committer.commit_status(part.resource, obj, status)
        if wrote and error is None:
            await self._committer.tell(part.resource, obj, part.plan.events)
        return wrote
