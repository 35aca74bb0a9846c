"""What the kubelet left out for a slow reader: it keeps few files, and does not say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.logs.line import HEROKU, Line
from haikube.logs.podlog import Printed, Reader

_BEHIND: Final = timedelta(seconds=5)
_JUMP: Final = timedelta(seconds=2)
"""A file was begun and ended in it: the kubelet begins one every 10 s, and every 3 s at most."""

_FILE: Final = 8 << 20
"""Bytes; the kubelet begins a new file after 10 MiB."""

_SECONDS: Final = 19
_MICROSECONDS: Final = 26


class Gap(NamedTuple):
    """The times of two lines that a reader met one after the other."""

    before: str
    after: str


class Backlog:
    """Suspects that the kubelet left out what a reader was too slow for: it keeps few files.

    It does not say so. But who reads what is seconds old, has read more than a file without a
    pause, and then meets a jump in the times, may have missed something. `is_whole` knows better.
    """

    def __init__(self) -> None:
        self._last = ""
        self._late = False
        self._size = 0

    def lost(self, printed: list[Printed], now: datetime) -> Gap | None:
        """Return between which lines some may be missing, None where there is no reason."""
        late, size = self._late, self._size
        jump = _jump(self._last or printed[0].time, printed)
        self._last = printed[-1].time
        self._late = now - _moment(self._last) > _BEHIND
        self._size = sum(len(each.raw) for each in printed) + (0 if jump else size)
        return jump if late and size > _FILE else None


def _jump(last: str, printed: list[Printed]) -> Gap | None:
    """Return where a line comes long after the one before it."""
    for line in printed:
        if line.time[:_SECONDS] != last[:_SECONDS] and _moment(line.time) - _moment(last) > _JUMP:
            return Gap(last, line.time)
        last = line.time
    return None


async def is_whole(log: AsyncIterable[bytes], gap: Gap) -> bool | None:
    """Tell whether nothing lies in a gap, by what the kubelet has now from its beginning on.

    It reads its newest file alone: one that begins after the gap tells nothing, thus None.
    """
    reader, has_begin = Reader(), False
    async for chunk in log:
        for line in reader.feed(chunk):
            if line.time > gap.before:
                return line.time == gap.after if has_begin or line.time < gap.after else None
            has_begin = True
    return None


class Kept(Protocol):
    """A log store: it may have what the kubelet has no more."""

    async def holds(self, pod: str, gap: Gap) -> bool | None:
        """Return whether a pod, by uid, printed something in a gap; None if it cannot tell yet."""
        ...


class Inquiry:
    """Finds out whether something lies in a gap: asks the kubelet, and then the log store."""

    def __init__(self, cluster: Cluster, kept: Kept | None, patience: float, pause: float) -> None:
        self._cluster = cluster
        self._kept = kept
        self._patience = patience
        self._pause = pause

    async def told(self, name: str, pod: Json, gap: Gap) -> list[Line]:
        """Return what a reader is told of a gap in what a dyno printed: nothing if it was silent.

        The container may have started anew since, so its log of before is looked at, too.
        """
        answers = [await self._is_whole(pod, gap, previous=each) for each in (False, True)]
        if True in answers:
            return []
        if False in answers:
            return [overflow(name, gap)]
        left_out = await self._from_store(pod["metadata"]["uid"], gap)
        return [] if left_out is False else [overflow(name, gap, sure=left_out is True)]

    async def _is_whole(self, pod: Json, gap: Gap, *, previous: bool) -> bool | None:
        """Ask the kubelet; it cannot tell once the pod is gone, and its log with it."""
        meta, since = pod["metadata"], f"{gap.before[:_SECONDS]}Z"
        log = self._cluster.pod_log(
            meta["name"], meta["namespace"], timestamps=True, since=since, previous=previous
        )
        try:
            async with asyncio.timeout(self._patience):
                return await is_whole(log, gap)
        except (ApiError, TimeoutError):
            return None

    async def _from_store(self, uid: str, gap: Gap) -> bool | None:
        """Ask the store until it can tell: what was printed takes a moment to come to it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while self._kept is not None:
                    if (found := await self._kept.holds(uid, gap)) is not None:
                        return found
                    await asyncio.sleep(self._pause)
        return None


def overflow(name: str, gap: Gap, *, sure: bool = True) -> Line:
    """Return the line about a dyno that prints faster than it is read."""
    text = (
        f"Error L11 (Tail buffer overflow) -> This tail session {'' if sure else 'may have '}"
        f"dropped messages of {name} since {gap.before[:_MICROSECONDS]}+00:00."
    )
    return Line(gap.after, HEROKU, "logplex", text)


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(f"{time[:_MICROSECONDS]}+00:00")
