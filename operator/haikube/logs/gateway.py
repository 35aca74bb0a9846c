"""What the gateway says of requests, from the access log of its own pods: ``heroku[router]`` lines.

One reader per process serves all tails, and reads only while there are any. A tail that does not
keep up loses lines, and is told how many.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.logs.line import HEROKU, Line, in_order, stamp
from haikube.logs.podlog import Place, Printed, Reader
from haikube.logs.request import Entry, address_of, host_of, router_line
from haikube.logs.scene import Sight
from haikube.logs.story import dyno_name
from haikube.model.resources import PODS

Hosts = Callable[[Json], Iterable[str]]
"""The hosts that an app has been given: those of which it may see requests."""

_MARK: Final = b'"RequestMethod":'
_WAITING: Final = 2000
_LOOK_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 1.0
_RECENT: Final = 5000
"""Lines of each gateway pod that are looked through where there is no store."""


class _Reader:
    """One tail's place in the queue."""

    def __init__(self, app: Json, sight: Sight) -> None:
        self._app = app
        self._sight = sight
        self._lost = 0
        self.queue: asyncio.Queue[Line] = asyncio.Queue(_WAITING)

    def take(self, entry: Entry, time: str) -> None:
        """Take a request in, or count it as lost."""
        line = self.line(entry, time)
        if line is None:
            return
        if self.queue.full():
            self._lost += 1
            return
        if self._lost:
            text = f"Error L10 (output buffer overflow): {self._lost} messages dropped"
            self._lost = 0
            self.queue.put_nowait(Line(line.time, HEROKU, "logplex", text))
            if self.queue.full():
                return
        self.queue.put_nowait(line)

    def line(self, entry: Entry, time: str) -> Line | None:
        """Return the line for this app; None for a route of another one."""
        namespace = self._app["metadata"]["namespace"]
        if not str(entry.get("RouterName") or "").startswith(f"httproute-{namespace}-"):
            return None
        return router_line(entry, f"{time}Z", self._dyno(address_of(entry)))

    def _dyno(self, address: str) -> str:
        for pod in self._sight.of_app(PODS, self._app):
            if address and (pod.get("status") or {}).get("podIP") == address:
                return dyno_name(pod)
        return ""


class Gateway:
    """See ``tail.Router``; ``pods`` is a label selector, empty where the gateway is not ours."""

    def __init__(
        self, own: Cluster, sight: Sight, hosts: Hosts, *, namespace: str, pods: str
    ) -> None:
        self._own = own
        self._sight = sight
        self._hosts = hosts
        self._namespace = namespace
        self._pods = pods
        self._readers: defaultdict[str, set[_Reader]] = defaultdict(set)
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    async def recent(self, app: Json, count: int) -> list[Line]:
        """Return the last lines that the gateway's pods still have."""
        reader, hosts = _Reader(app, self._sight), set(self._hosts(app))
        found: list[Line] = []
        for name in await self._names():
            for printed in await self._tail(name):
                entry = _entry(printed)
                line = reader.line(entry, printed.time) if host_of(entry) in hosts else None
                found += [line] if line else []
        return in_order(found)[-count:]

    async def live(self, app: Json) -> AsyncGenerator[list[Line], None]:
        """Yield lines as they come."""
        reader, hosts = _Reader(app, self._sight), set(self._hosts(app))
        for host in hosts:
            self._readers[host].add(reader)
        self._begin()
        try:
            while True:
                lines = [await reader.queue.get()]
                while not reader.queue.empty():
                    lines.append(reader.queue.get_nowait())
                yield lines
        finally:
            for host in hosts:
                self._readers[host].discard(reader)
            self._end()

    def _begin(self) -> None:
        self._count += 1
        if self._task is None and self._pods:
            self._task = asyncio.create_task(self._read())

    def _end(self) -> None:
        self._count -= 1
        if not self._count and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self) -> None:
        """Follow each pod of the gateway, new ones too."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for name in await self._names():
                    if name not in tasks or tasks[name].done():
                        tasks[name] = asyncio.create_task(self._follow(name))
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in tasks.values():
                task.cancel()

    async def _names(self) -> list[str]:
        if not self._pods:
            return []
        with suppress(ApiError):
            found = await self._own.list(
                PODS, self._namespace, labels=self._pods, metadata_only=True
            )
            return [str(pod["metadata"]["name"]) for pod in found.items]
        return []

    async def _follow(self, name: str) -> None:
        place, since = Place(), f"{stamp(datetime.now(UTC))[:19]}Z"
        while True:
            reader = Reader()
            try:
                log = self._own.pod_log(
                    name,
                    self._namespace,
                    follow=True,
                    timestamps=True,
                    since=place.resume() or since,
                )
                async for chunk in log:
                    self._give(place.fresh(reader.feed(chunk)))
            except ApiError:
                return
            await asyncio.sleep(_RETRY_SECONDS)

    def _give(self, lines: list[Printed]) -> None:
        for printed in lines:
            entry = _entry(printed)
            for reader in self._readers.get(host_of(entry), ()) if entry else ():
                reader.take(entry, printed.time)

    async def _tail(self, name: str) -> list[Printed]:
        reader, found = Reader(), list[Printed]()
        with suppress(ApiError):
            log = self._own.pod_log(name, self._namespace, timestamps=True, tail=_RECENT)
            async for chunk in log:
                found += reader.feed(chunk)
        return found


def _entry(printed: Printed) -> Entry:
    """Return a line of the access log; other words of the gateway are no requests."""
    if _MARK not in printed.raw:
        return {}
    try:
        entry = json.loads(printed.raw)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
