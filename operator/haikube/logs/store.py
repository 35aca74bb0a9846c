"""The log store: VictoriaLogs over HTTP. Without it the logs of living dynos are all there is.

The store knows pods, not apps. Which pod was which dyno of which app is written into it by
``chronicle``; nobody but the platform can write there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import structlog

from haikube.cluster.port import Json
from haikube.logs.gap import Gap
from haikube.logs.line import (
    APP,
    HEROKU,
    Line,
    Selection,
    in_order,
    pieces,
    read_stamp,
    shown,
    stamp,
)
from haikube.logs.request import REFUSED, address_of, is_look, router_line

WEEK: Final = "7d"
NAME, LINE = "name", "line"
"""Kinds of our own records: which pod is which dyno, and what the platform tells."""

_SECONDS: Final = 10.0
_MOST_PODS: Final = 1000
_LONGEST_RECORD: Final = 4 << 20

_AWAY: Final = "The log store does not answer: of dynos that are gone nothing is shown."

_log = structlog.get_logger(__name__)


class StoreError(Exception):
    """The store is away, full, or does not understand."""


class Store:
    """One store; ``password`` may be empty."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        if not password:
            self._headers.clear()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def write(self, records: Iterable[Mapping[str, str]]) -> None:
        """Add records; raises ``StoreError``."""
        body = "".join(json.dumps(record) + "\n" for record in records)
        fields = {"_stream_fields": "haikube.kind,haikube.app", "_msg_field": "_msg"}
        async for _ in self._asked("/insert/jsonline", fields, body):
            pass

    async def newest(self, kind: str = LINE) -> str:
        """Return the time of the newest record of our own of a kind, empty when there is none."""
        query = f'_time:{WEEK} {{haikube.kind="{kind}"}} | fields _time'
        async for record in self.query(query, 1):
            return read_stamp(record["_time"])
        return ""

    async def query(self, query: str, count: int) -> AsyncIterator[Json]:
        """Yield the last records that a query finds; raises ``StoreError``."""
        wanted = {"query": query, "limit": str(count), "timeout": f"{_SECONDS:.0f}s"}
        async for line in self._asked("/select/logsql/query", wanted, None):
            yield json.loads(line)

    async def _asked(
        self, path: str, fields: Mapping[str, str], body: str | None
    ) -> AsyncIterator[bytes]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_SECONDS, sock_connect=2.0)
            self._session = aiohttp.ClientSession(
                headers=self._headers, timeout=timeout, read_bufsize=_LONGEST_RECORD
            )
        how: dict[str, Any] = {"data": fields} if body is None else {"params": fields, "data": body}
        try:
            async with self._session.post(self._url + path, **how) as answer:
                if answer.status >= 300:  # noqa: PLR2004 - a redirection is none either
                    raise StoreError(f"{answer.status} {(await answer.text())[:200]}")
                async for line in answer.content:
                    yield line
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise StoreError(f"{type(error).__name__}: {error}") from error


class StoredLogs:
    """What the store has of an app; see ``tail.History``."""

    def __init__(
        self,
        store: Store,
        hosts: Callable[[Json], Iterable[str]],
        gateway_namespace: str,
        namespace: str,
    ) -> None:
        self._store = store
        self._hosts = hosts
        self._gateway = gateway_namespace
        self._namespace = namespace

    async def lines(
        self,
        app: Json,
        selection: Selection,
        count: int,
        *,
        since: str = "",
        but: Collection[str] = (),
    ) -> list[Line]:
        """Return the last lines of an app after a time, but for those of some pods.

        When the store is away that is told in a line of its own.
        """
        uid = app["metadata"]["uid"]
        try:
            names = [name async for name in self._names(uid)]
            query = self._query(app, names, selection, since, but)
            found = [
                line
                async for record in self._store.query(query, count)
                for line in _lines(record, names)
            ]
        except StoreError as error:
            _log.warning("the log store does not answer", error=str(error))
            return [Line(stamp(datetime.now(UTC)), HEROKU, "logplex", _AWAY)]
        return in_order(dict.fromkeys(line for line in found if line in selection))[-count:]

    async def holds(self, pod: str, gap: Gap) -> bool | None:
        """Return whether a pod, by uid, printed something in a gap; None if it cannot tell yet.

        What a pod prints comes here in order: who has the end of a gap has what is in it.
        """
        mine = f"{{k8s.pod.uid={json.dumps(pod)}}}"
        try:
            if await self._has(f"_time:({gap.before}Z, {gap.after}Z) {mine}"):
                return True
            return False if await self._has(f"_time:>={gap.after}Z {mine}") else None
        except StoreError as error:
            _log.warning("the log store does not answer", error=str(error))
            return None

    async def _has(self, query: str) -> bool:
        return bool([record async for record in self._store.query(query, 1)])

    async def _names(self, uid: str) -> AsyncIterator[Json]:
        """Yield the records that say which pods are dynos of an app."""
        query = f'_time:{WEEK} {{haikube.kind="{NAME}",haikube.app="{uid}"}}'
        async for record in self._store.query(query, _MOST_PODS):
            yield record

    def _query(
        self,
        app: Json,
        names: list[Json],
        selection: Selection,
        since: str,
        but: Collection[str],
    ) -> str:
        meta = app["metadata"]
        parts = [f'{{haikube.kind="{LINE}",haikube.app="{meta["uid"]}"}}']
        pods = {
            record["haikube.pod"] for record in names if selection.has_dyno(record["haikube.dyno"])
        }.difference(but)
        if pods and selection.source != HEROKU:
            parts.append(f"{{k8s.pod.uid in ({_listed(pods)})}}")
        if selection.has_router and (hosts := list(self._hosts(app))):
            route = json.dumps(f"^httproute-{meta['namespace']}-")
            parts.append(
                f'({{k8s.namespace.name="{self._gateway}"}} RequestHost:in({_listed(hosts)})'
                f" RouterName:~{route})"
            )
            parts.append(
                f'({{k8s.namespace.name="{self._namespace}"}} event:="{REFUSED}"'
                f' app:="{meta["name"]}" namespace:="{meta["namespace"]}")'
            )
        first = max(meta.get("creationTimestamp", ""), f"{since}Z" if since else "")
        begun = f" _time:>={first}" if first else ""
        return f"_time:{WEEK}{begun} ({' or '.join(parts)})"


def _listed(texts: Iterable[str]) -> str:
    return ",".join(json.dumps(text) for text in sorted(texts))


def _lines(record: Json, names: list[Json]) -> list[Line]:
    """Return a record of the store as lines."""
    time, text = read_stamp(record["_time"]), str(record.get("_msg", ""))
    if record.get("haikube.kind") == LINE:
        source, dyno = record.get("haikube.source", HEROKU), record.get("haikube.dyno", "")
        return [Line(time, source, dyno, text, record.get("haikube.key", ""))]
    if "RouterName" in record or record.get("event") == REFUSED:
        line = router_line(record, record["_time"], _at_address(record, time, names))
        return [] if is_look(record) else [line]
    uid = record.get("k8s.pod.uid", "")
    dyno = next((each["haikube.dyno"] for each in names if each["haikube.pod"] == uid), "")
    raw = text.encode("utf-8", "surrogatepass")
    return [Line(time, APP, dyno, each) for piece in pieces(raw) for each in shown(piece)]


def _at_address(record: Json, time: str, names: list[Json]) -> str:
    """Return which dyno had an address at a time: the last to be given it before."""
    address = address_of(record)
    held = [
        (each["haikube.since"], each["haikube.dyno"])
        for each in names
        if address and each.get("haikube.address") == address and each["haikube.since"] <= time
    ]
    return max(held, default=("", ""))[1]
