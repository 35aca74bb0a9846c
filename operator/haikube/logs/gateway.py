"""What the gateway says of requests, from the access log of its own pods: ``heroku[router]`` lines.

One reader per process serves all tails, and reads only while there are any. A tail that does not
keep up loses lines, and is told how many.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.logs.line import HEROKU, Line, in_order, stamp
from haikube.logs.podlog import Place, Printed, Reader
from haikube.logs.request import REFUSED, Entry, address_of, host_of, is_of, router_line
from haikube.logs.scene import Sight
from haikube.logs.story import dyno_name
from haikube.model.resources import PODS

Hosts = Callable[[Json], Iterable[str]]
"""The hosts that an app has been given: those of which it may see requests."""

_MARKS: Final = (b'"RequestMethod":', b'"event": "%s"' % REFUSED.encode())
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
        if not is_of(entry, self._app):
            return None
        return router_line(entry, f"{time}Z", self._dyno(address_of(entry)))

    def _dyno(self, address: str) -> str:
        for pod in self._sight.of_app(PODS, self._app):
            if address and (pod.get("status") or {}).get("podIP") == address:
                return dyno_name(pod)
        return ""


Pods = Sequence[tuple[str, str]]
"""Namespaces and label selectors of the pods whose logs tell of requests."""


class Gateway:
    """See ``tail.Router``; ``pods`` are those of the gateway and of the errors service."""

    def __init__(self, own: Cluster, sight: Sight, hosts: Hosts, pods: Pods) -> None:
        self._own = own
        self._sight = sight
        self._hosts = hosts
        self._pods = pods
        self._readers: defaultdict[str, set[_Reader]] = defaultdict(set)
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    async def recent(self, app: Json, count: int, since: str = "") -> list[Line]:
        """Return the last lines that the gateway's pods still have, or all after a time."""
        reader, hosts = _Reader(app, self._sight), set(self._hosts(app))
        found: list[Line] = []
        for place in await self._places():
            for printed in await self._tail(*place, since):
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
        tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        try:
            while True:
                for place in await self._places():
                    if place not in tasks or tasks[place].done():
                        tasks[place] = asyncio.create_task(self._follow(*place))
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in tasks.values():
                task.cancel()

    async def _places(self) -> list[tuple[str, str]]:
        """Return namespace and name of each pod that tells of requests."""
        found: list[tuple[str, str]] = []
        for namespace, labels in self._pods:
            with suppress(ApiError):
                pods = await self._own.list(PODS, namespace, labels=labels, metadata_only=True)
                found += [(namespace, str(pod["metadata"]["name"])) for pod in pods.items]
        return found

    async def _follow(self, namespace: str, name: str) -> None:
        place, since = Place(), f"{stamp(datetime.now(UTC))[:19]}Z"
        while True:
            reader = Reader()
            try:
                log = self._own.pod_log(
                    name,
                    namespace,
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

    async def _tail(self, namespace: str, name: str, since: str) -> list[Printed]:
        reader, found = Reader(), list[Printed]()
        part: dict[str, Any] = {"since": f"{since[:19]}Z"} if since else {"tail": _RECENT}
        with suppress(ApiError):
            log = self._own.pod_log(name, namespace, timestamps=True, **part)
            async for chunk in log:
                found += reader.feed(chunk)
        return found


def _entry(printed: Printed) -> Entry:
    """Return a line of the access log; other words of the gateway are no requests."""
    if not any(mark in printed.raw for mark in _MARKS):
        return {}
    try:
        entry = json.loads(printed.raw)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
