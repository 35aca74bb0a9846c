"""An app's log as a reader sees it: what was, then what comes, all sources in one stream.

A reader who does not read holds up nobody but the streams that were opened for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from haikube.cluster.port import Cluster, Json
from haikube.logs.follow import Dynos, Pace
from haikube.logs.gap import Gap
from haikube.logs.line import Line, Selection, in_order
from haikube.logs.position import Position
from haikube.logs.scene import Sight, Storyteller

MOST: Final = 1500
"""Lines of history that anybody gets, as on Heroku."""

_MISSED: Final = 20_000
"""Lines of dynos that are gone that a reader gets who comes back."""

_LOOK: Final = 60.0
_WINDOW: Final = 0.004
"""Seconds in which lines of several dynos are put into the order of their times."""


class History(Protocol):
    """A log store: what was printed by dynos that are gone, too."""

    async def lines(
        self,
        app: Json,
        selection: Selection,
        count: int,
        *,
        since: str = "",
        but: Collection[str] = (),
    ) -> list[Line]:
        """Return the last lines of an app after a time, but for those of some pods."""
        ...

    async def holds(self, pod: str, gap: Gap) -> bool | None:
        """Return whether a pod, by uid, printed something in a gap; None if it cannot tell yet."""
        ...


class Router(Protocol):
    """What the gateway says of requests."""

    async def recent(self, app: Json, count: int, since: str = "") -> list[Line]:
        """Return the last lines that are still at hand, or all after a time."""
        ...

    def live(self, app: Json) -> AsyncGenerator[list[Line], None]:
        """Yield lines as they come."""
        ...


class Tail:
    """One reader's view of one app."""

    def __init__(
        self,
        cluster: Cluster,
        sight: Sight,
        app: Json,
        selection: Selection,
        *,
        history: History | None = None,
        router: Router | None = None,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dynos = Dynos(cluster, sight, app, selection, pace=pace, kept=history)
        self._story = Storyteller(sight, app)
        self._sight = sight
        self._app = app
        self._selection = selection
        self._history = history
        self._router = router
        self._clock = clock

    async def past(self, count: int) -> list[Line]:
        """Return the last lines, oldest first: the store's, and those of what still lives."""
        count = min(count, MOST)
        told = self._told()
        if count <= 0:
            await self._dynos.printed(1)
            return []
        printed = await self._dynos.printed(count)
        stored = (
            await self._history.lines(self._app, self._selection, count) if self._history else []
        )
        routed = await self._routed(count)
        return merged((stored, printed, routed, told))[-count:]

    async def since(self, position: Position) -> list[Line]:
        """Return what a reader missed who was at a position, oldest first.

        What living dynos printed since comes first in `live`, however much it is.
        """
        told, since = self._told(), position.floor
        ended = await self._dynos.resume(position, _MISSED)
        living = self._dynos.pods().keys()
        stored = (
            await self._history.lines(self._app, self._selection, _MISSED, since=since, but=living)
            if self._history
            else []
        )
        routed = await self._routed(_MISSED, since)
        return position.beyond().take(merged((stored, ended, routed, told)))

    async def live(self, pulse: float) -> AsyncIterator[list[Line]]:
        """Yield what comes, in the order of time as far as it comes together.

        After ``pulse`` seconds of silence comes an empty list. It ends when the app is gone.
        """
        watching = [asyncio.create_task(self._watch())]
        if self._router is not None and self._selection.has_router:
            watching.append(asyncio.create_task(self._pass_on(self._router)))
        try:
            while not watching[0].done():
                yield await self._next(pulse)
                self._dynos.check()
            watching[0].result()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)
            await self._dynos.stop()

    async def _next(self, pulse: float) -> list[Line]:
        batches = self._dynos.batches
        try:
            async with asyncio.timeout(pulse):
                lines = list(await batches.get())
        except TimeoutError:
            return []
        if batches.empty() and self._dynos.are_several:
            await asyncio.sleep(_WINDOW)
        while not batches.empty():
            lines += batches.get_nowait()
        return in_order(lines)

    async def _watch(self) -> None:
        """Follow new dynos and tell what happens to them, until the app is gone."""
        while self._story.app_exists():
            seen = self._story.version()
            self._dynos.look()
            if told := self._told():
                await self._dynos.batches.put(told)
            await self._sight.until(partial(self._is_other, seen), _LOOK)

    def _is_other(self, seen: int) -> bool | None:
        return True if self._story.version() != seen else None

    def _told(self) -> list[Line]:
        return [line for line in self._story.tell(self._clock()) if line in self._selection]

    async def _routed(self, count: int, since: str = "") -> list[Line]:
        if self._router is None or not self._selection.has_router:
            return []
        return await self._router.recent(self._app, count, since)

    async def _pass_on(self, router: Router) -> None:
        async with aclosing(router.live(self._app)) as lines:
            async for batch in lines:
                await self._dynos.batches.put(batch)


def merged(parts: Sequence[Sequence[Line]]) -> list[Line]:
    """Return the lines of several sources in the order of time, what two of them have once."""
    found: dict[tuple[str, str, str, str], Line] = {}
    for part in parts:
        counts: dict[Line, int] = {}
        for line in part:
            number = counts[line] = counts.get(line, 0) + 1
            if line.key:  # who knew more of it said more, such as which dyno it was
                key = (line.key, "", "", "")
                found[key] = max(found.get(key, line), line, key=lambda each: len(each.text))
            else:
                found.setdefault((line.time, line.dyno, line.text, str(number)), line)
    return in_order(found.values())
