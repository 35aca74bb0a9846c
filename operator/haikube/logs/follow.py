"""Follows what the living dynos of an app print, over restarts, new pods and lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.logs.builds import is_passing
from haikube.logs.gap import Backlog, Inquiry, Kept
from haikube.logs.line import APP, HEROKU, Line, Selection, in_order, shown, stamp
from haikube.logs.podlog import Place, Printed, Reader
from haikube.logs.position import Beyond, Position
from haikube.logs.scene import Sight
from haikube.logs.story import PRINTING, dyno_name, is_named
from haikube.model import labels
from haikube.model.resources import PODS

_BATCHES: Final = 8
"""Chunks that wait for the reader of a tail; then the kubelet waits."""

_NO_SUCH_LOG: Final = 400
"""The status where a container of before has left none."""

_OVER: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    retry: float = 0.3
    look: float = 1.0
    """How long after the end of a stream a container that still runs is asked again."""
    name: float = 10.0
    """How long the operator is waited for that names dynos."""
    read: float = 10.0
    """How long a node may take to give what a dyno printed."""


class Dynos:
    """The dynos of one app that a reader selects; ``cluster`` reads their logs."""

    def __init__(
        self,
        cluster: Cluster,
        sight: Sight,
        app: Json,
        selection: Selection,
        *,
        pace: Pace | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._cluster = cluster
        self._sight = sight
        self._app = app
        self._selection = selection
        self._pace = pace or Pace()
        self._inquiry = Inquiry(cluster, kept, self._pace.read, self._pace.look)
        self._places: dict[str, Place] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beyond: Beyond | None = None
        self._error: BaseException | None = None
        self.batches: asyncio.Queue[list[Line]] = asyncio.Queue(_BATCHES)

    def pods(self) -> dict[str, Json]:
        """Return the pods that print what the reader asks for, by uid."""
        if self._selection.source not in {"", APP}:
            return {}
        return {
            pod["metadata"]["uid"]: pod
            for pod in self._sight.of_app(PODS, self._app)
            if is_printing(pod) and self._selection.has_dyno(dyno_name(pod))
        }

    @property
    def are_several(self) -> bool:
        """Tell whether more than one stream is open, whose lines have an order."""
        return sum(not task.done() for task in self._tasks.values()) > 1

    def look(self) -> None:
        """Begin to follow each pod that is not followed yet."""
        pods = self.pods()
        for uid in pods.keys() - self._tasks.keys():
            self._tasks[uid] = asyncio.create_task(self._follow(uid))
            self._tasks[uid].add_done_callback(self._note)
        for uid in self._tasks.keys() - pods.keys():
            if self._tasks[uid].done():
                del self._tasks[uid]
                self._places.pop(uid, None)

    def check(self) -> None:
        """Raise what keeps a dyno from being read for good: the caller's rights have ended."""
        if self._error is not None:
            raise self._error

    def _note(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
            with suppress(asyncio.QueueFull):
                self.batches.put_nowait([])

    async def stop(self) -> None:
        """End all of it."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def printed(self, lines: int) -> list[Line]:
        """Return the last lines of what there is, and follow from there."""
        gate = asyncio.Semaphore(_BATCHES)
        kept: list[Line] = []
        for reading in asyncio.as_completed(
            [self._past(gate, uid, pod, lines) for uid, pod in self.pods().items()]
        ):
            kept = in_order([*kept, *await reading])[-lines:]
        return kept

    async def resume(self, position: Position, most: int) -> list[Line]:
        """Follow from where a reader was, and return what containers printed that ended since."""
        self._beyond, since = position.beyond(), position.floor
        found: list[Line] = []
        for uid, pod in self.pods().items():
            self._places[uid] = Place(since)
            if _restarts(pod):
                ended = await self._read(pod, most, previous=True, since=f"{since[:19]}Z")
                found += _lines(dyno_name(pod), self._places[uid].fresh(ended))
        return found

    async def _past(self, gate: asyncio.Semaphore, uid: str, pod: Json, tail: int) -> list[Line]:
        place = self._places.setdefault(uid, Place())
        name = dyno_name(pod)
        async with gate:
            try:
                async with asyncio.timeout(self._pace.read):
                    ended = await self._read(pod, tail, previous=True) if _restarts(pod) else []
                    found = _one_after_the_other(ended, await self._read(pod, tail))
                    place.fresh(found)
            except TimeoutError:
                return [_silent(name)]
        return _lines(name, found[-tail:])

    async def _read(
        self, pod: Json, tail: int, *, previous: bool = False, since: str = ""
    ) -> list[Printed]:
        """Return the end of a pod's log; one that cannot be read now is empty."""
        meta, reader, found = pod["metadata"], Reader(), list[Printed]()
        log = self._cluster.pod_log(
            meta["name"],
            meta["namespace"],
            timestamps=True,
            tail=tail,
            previous=previous,
            since=since,
        )
        try:
            async for chunk in log:
                found = [*found, *reader.feed(chunk)][-tail:]
        except ApiError as error:
            if not is_passing(error):
                raise
        return [*found, *reader.end()]

    async def _follow(self, uid: str) -> None:
        """Put out what one pod prints until it is gone; a container that restarts is read anew.

        A stream that ends may have broken off. Only one of a container that had ended before it was
        opened is complete.
        """
        place, backlog = self._places.setdefault(uid, Place()), Backlog()
        await self._sight.until(lambda: self._has_name(uid), self._pace.name)
        begun = read = ""
        while (pod := self.pods().get(uid)) is not None:
            instance, runs = _instance(pod), _runs(pod)
            if not instance or (instance == read and not runs):
                if instance and _is_over(pod):
                    return
                await self._changed(uid, instance)
                continue
            try:
                if begun not in {"", instance}:
                    await self._copy_rest(pod, place, backlog)
                if begun != instance:
                    begun, backlog = instance, Backlog()
                await self._copy(pod, place, backlog, follow=runs)
            except NotFound:
                return
            except ApiError as error:
                if not is_passing(error):
                    raise
                await asyncio.sleep(self._pace.retry)
                continue
            if runs:
                await self._changed(uid, instance)
            else:
                begun, read = "", instance

    async def _copy_rest(self, pod: Json, place: Place, backlog: Backlog) -> None:
        """Put out what a container printed last that was not seen to end, and made room."""
        try:
            await self._copy(pod, place, backlog, previous=True)
        except ApiError as error:
            if isinstance(error, NotFound) or error.status != _NO_SUCH_LOG:
                raise

    async def _copy(
        self, pod: Json, place: Place, backlog: Backlog, *, follow: bool = False, **how: bool
    ) -> None:
        async for printed in self._stream(pod, place, follow=follow, **how):
            name = dyno_name(self.pods().get(pod["metadata"]["uid"], pod))
            gap = backlog.lost(printed, datetime.now(UTC))
            if gap and (told := await self._inquiry.told(name, pod, gap)):
                await self.batches.put(told)
            await self._put(_lines(name, printed))

    def _has_name(self, uid: str) -> bool | None:
        pod = self.pods().get(uid)
        return True if pod is None or is_named(pod) else None

    async def _put(self, lines: list[Line]) -> None:
        fresh = lines if self._beyond is None else self._beyond.take(lines)
        if fresh:
            await self.batches.put(fresh)

    async def _stream(
        self, pod: Json, place: Place, *, follow: bool, previous: bool = False
    ) -> AsyncIterator[list[Printed]]:
        meta, reader = pod["metadata"], Reader()
        log = self._cluster.pod_log(
            meta["name"],
            meta["namespace"],
            timestamps=True,
            since=place.resume(),
            follow=follow,
            previous=previous,
        )
        async for chunk in log:
            if fresh := place.fresh(reader.feed(chunk)):
                yield fresh
        if not follow and (fresh := place.fresh(reader.end())):
            yield fresh

    async def _changed(self, uid: str, instance: str) -> None:
        """Wait a little for a pod to go, to end, or to have another container."""

        def check() -> bool | None:
            pod = self.pods().get(uid)
            return True if pod is None or _instance(pod) != instance or _is_over(pod) else None

        await self._sight.until(check, self._pace.look)


def is_printing(pod: Json) -> bool:
    """Tell whether a pod's output is its app's log; that of a terminal is for who sat at it."""
    component = (pod["metadata"].get("labels") or {}).get(labels.COMPONENT)
    return component in PRINTING and not pod["spec"]["containers"][0].get("stdin")


def _lines(name: str, printed: list[Printed]) -> list[Line]:
    return [Line(each.time, APP, name, text) for each in printed for text in shown(each.raw)]


def _one_after_the_other(ended: list[Printed], printed: list[Printed]) -> list[Printed]:
    """Return the lines of two containers, or of one: between two starts both are the last."""
    begun = printed[0].time if printed else ""
    return [*(each for each in ended if not begun or each.time < begun), *printed]


def _silent(name: str) -> Line:
    """Return the line about a dyno whose node does not answer."""
    text = f"The node of {name} does not answer: what it printed last is not shown."
    return Line(stamp(datetime.now(UTC)), HEROKU, "logplex", text)


def _container(pod: Json) -> Json:
    return next(iter((pod.get("status") or {}).get("containerStatuses") or ()), {})


def _restarts(pod: Json) -> int:
    return int(_container(pod).get("restartCount") or 0)


def _runs(pod: Json) -> bool:
    return "running" in (_container(pod).get("state") or {})


def _instance(pod: Json) -> str:
    """Return the id of the container that runs or ran last, empty before the first."""
    return str(_container(pod).get("containerID") or "")


def _is_over(pod: Json) -> bool:
    return (pod.get("status") or {}).get("phase") in _OVER
