"""Writes into the log store what the platform tells of every app, and which pod is which dyno.

Every process of the api does so: what two of them tell has one key, and a reader shows it once. It
is a courtesy: a store that is away loses lines of ours, never those of dynos.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, Protocol

import structlog

from haikube.cluster.port import Json
from haikube.logs.follow import is_printing
from haikube.logs.line import Line, stamp
from haikube.logs.scene import Sight, Storyteller, is_settled
from haikube.logs.store import LINE, NAME, Store, StoreError
from haikube.logs.story import dyno_name
from haikube.model.resources import APPS, PODS, Resource
from haikube.model.times import parse_time

_SECONDS: Final = 1.0
_RETRY: Final = 5.0
_CHECK: Final = 30.0
_MOST_WAITING: Final = 10_000
_OVERLAP: Final = timedelta(minutes=1)

_log = structlog.get_logger(__name__)

Record = dict[str, str]


@dataclass(slots=True)
class _Told:
    """What was written of one app."""

    teller: Storyteller
    version: int | None = None
    named: set[tuple[str, str, str]] = field(default_factory=set)


class Whole(Sight, Protocol):
    """All apps of the cluster."""

    def all(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        """Return the objects of a kind."""
        ...


class Chronicle:
    """One process's part; ``run`` it while the process lives."""

    def __init__(
        self,
        sight: Whole,
        store: Store,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sight = sight
        self._store = store
        self._clock = clock
        self._apps: dict[str, _Told] = {}
        self._waiting: list[Record] = []

    async def run(self) -> None:
        """Look once a second and write what is new; never ends."""
        since = await self._since()
        checked = 0.0
        while True:
            if (now := monotonic()) - checked > _CHECK:
                checked = now
                await self._check_names()
            self._waiting += self.look(since)
            del self._waiting[:-_MOST_WAITING]
            pause = _SECONDS
            if self._waiting:
                try:
                    await self._store.write(self._waiting)
                    self._waiting.clear()
                except StoreError as error:
                    _log.warning("the log store takes nothing", error=str(error))
                    pause = _RETRY
            await asyncio.sleep(pause)

    async def _since(self) -> str:
        """Return from when on lines are new: a little before the newest that is stored."""
        while True:
            try:
                newest = await self._store.newest()
            except StoreError as error:
                _log.warning("the log store does not answer", error=str(error))
                await asyncio.sleep(_RETRY)
            else:
                return stamp(parse_time(f"{newest[:19]}Z") - _OVERLAP) if newest else ""

    async def _check_names(self) -> None:
        """Name all dynos again to a store that has lost its disk, or may have."""
        try:
            known = await self._store.newest(NAME)
        except StoreError:
            known = ""
        if not known:
            for told in self._apps.values():
                told.named, told.version = set(), None

    def look(self, since: str) -> list[Record]:
        """Return the records of what is new in all apps."""
        now = self._clock()
        records: list[Record] = []
        apps = {app["metadata"]["uid"]: app for app in self._sight.all(APPS)}
        for uid, app in apps.items():
            told = self._apps.setdefault(uid, _Told(Storyteller(self._sight, app)))
            version = told.teller.version()
            if version != told.version:
                told.version = version
                lines = told.teller.tell(now)
                records += [_line(uid, line) for line in lines if line.time >= since]
                records += self._names(app, told, now)
        for gone in self._apps.keys() - apps.keys():
            del self._apps[gone]
        return records

    def _names(self, app: Json, told: _Told, now: datetime) -> list[Record]:
        """Return which pod is which dyno, where that is new."""
        pods = [
            pod
            for pod in self._sight.of_app(PODS, app)
            if is_printing(pod) and is_settled(pod, now)
        ]
        named = {_identity(pod): pod["metadata"]["creationTimestamp"] for pod in pods}
        new = named.keys() - told.named
        told.named = set(named)
        uid = app["metadata"]["uid"]
        return [_name(uid, key, stamp(parse_time(named[key])), now) for key in sorted(new)]


def _identity(pod: Json) -> tuple[str, str, str]:
    address = str((pod.get("status") or {}).get("podIP") or "")
    return pod["metadata"]["uid"], dyno_name(pod), address


def _line(uid: str, line: Line) -> Record:
    return {
        "_time": f"{line.time}Z",
        "_msg": line.text,
        "haikube.kind": LINE,
        "haikube.app": uid,
        "haikube.source": line.source,
        "haikube.dyno": line.dyno,
        "haikube.key": line.key,
    }


def _name(app: str, key: tuple[str, str, str], since: str, now: datetime) -> Record:
    pod, dyno, address = key
    return {
        "_time": f"{stamp(now)}Z",
        "_msg": NAME,
        "haikube.kind": NAME,
        "haikube.app": app,
        "haikube.pod": pod,
        "haikube.dyno": dyno,
        "haikube.address": address,
        "haikube.since": since,
    }
