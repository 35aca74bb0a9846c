"""Finds apps by name over all namespaces, and shows each caller only what they may see.

The api's own identity lists names; whether a caller may see one is decided by a read with the
caller's own token. What they may not see is not found.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from haikube.api.kernel.auth import Caller
from haikube.api.kernel.problems import Problem, not_found
from haikube.cluster.errors import Forbidden, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.model.names import APP_NAME
from haikube.model.resources import APPS

NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

_UID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_CANDIDATES: Final = 100


class Directory:
    """Apps of the whole cluster; ``own`` is the api's own client."""

    def __init__(self, own: Cluster) -> None:
        self._own = own

    async def find(self, caller: Caller, identity: str) -> Json:
        """Return the one App a caller means by ``name``, ``name.namespace`` or its id."""
        name, _, namespace = identity.partition(".")
        if _UID.fullmatch(identity):
            places = [place for place in await self._places() if place[2] == identity]
        elif not APP_NAME.fullmatch(name):
            raise not_found("app", identity[:60])
        elif namespace:
            places = [(name, namespace, "")] if NAMESPACE.fullmatch(namespace) else []
        else:
            places = await self._places(f"metadata.name={name}")
        return _only(identity, await self._visible(caller, places))

    async def taken(self, name: str) -> bool:
        """Tell whether any namespace has an app of this name: it would want the same host."""
        return bool(await self._places(f"metadata.name={name}"))

    async def all(self, caller: Caller) -> list[Json]:
        """Return every App the caller may list, sorted by name."""
        try:
            apps = list((await caller.cluster.list(APPS)).items)
        except Forbidden:
            spaces = sorted({namespace for _, namespace, _ in await self._places()})
            found = await asyncio.gather(*(_listed(caller, space) for space in spaces))
            apps = [app for part in found for app in part]
        return sorted(apps, key=lambda app: str(app["metadata"]["name"]))

    async def _places(self, fields: str = "") -> list[tuple[str, str, str]]:
        listing = await self._own.list(APPS, fields=fields, metadata_only=True)
        metas = (item["metadata"] for item in listing.items)
        return [(meta["name"], meta["namespace"], meta.get("uid", "")) for meta in metas]

    async def _visible(self, caller: Caller, places: list[tuple[str, str, str]]) -> list[Json]:
        reads = (_read(caller, name, space) for name, space, _ in places[:_MOST_CANDIDATES])
        return [app for app in await asyncio.gather(*reads) if app is not None]


async def _read(caller: Caller, name: str, namespace: str) -> Json | None:
    try:
        return await caller.cluster.get(APPS, name, namespace)
    except (NotFound, Forbidden):
        return None


async def _listed(caller: Caller, namespace: str) -> list[Json]:
    try:
        return list((await caller.cluster.list(APPS, namespace)).items)
    except Forbidden:
        return []


def _only(identity: str, apps: list[Json]) -> Json:
    if not apps:
        raise not_found("app", identity)
    if len(apps) > 1:
        names = ", ".join(qualified(app) for app in apps)
        raise Problem(
            422, "multiple_matches", f"Several apps are named {identity}. Name one of: {names}"
        )
    return apps[0]


def qualified(app: Json) -> str:
    """Return the name of an app that is unique in the cluster."""
    return f"{app['metadata']['name']}.{app['metadata']['namespace']}"
