"""Finds apps by name over all namespaces, and shows each caller only what they may see.

What a caller may not see is not found.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from haikube.api.kernel.auth import Caller
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.observed import Observed
from haikube.api.kernel.problems import Problem, not_found
from haikube.api.kernel.rights import Right, Rights
from haikube.cluster.port import Cluster, Json
from haikube.model.names import APP_NAME
from haikube.model.resources import APPS

NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

_SEE: Final = Right("get", APPS)


class Directory:
    """Apps of the whole cluster; ``own`` is asked for what the watch does not know yet."""

    def __init__(self, own: Cluster, observed: Observed, rights: Rights) -> None:
        self._own = own
        self._observed = observed
        self._rights = rights

    async def find(self, caller: Caller, identity: str) -> Json:
        """Return the one App a caller means by ``name``, ``name.namespace`` or its id."""
        name, _, namespace = identity.partition(".")
        if found := self._observed.by_uid(APPS, identity):
            apps = [found]
        elif not APP_NAME.fullmatch(name) or (namespace and not NAMESPACE.fullmatch(namespace)):
            raise not_found("app", identity)
        else:
            apps = [
                app
                for app in await self._named(name)
                if namespace in {"", app["metadata"]["namespace"]}
            ]
        return _only(identity, await self._visible(caller, apps))

    async def taken(self, name: str) -> bool:
        """Tell whether any namespace has an app of this name: it would want the same host."""
        return bool(await self._named(name))

    async def all(self, caller: Caller, namespace: str | None = None) -> list[Json]:
        """Return every App the caller may see, sorted by name."""
        apps = await self._visible(caller, self._observed.all(APPS, namespace))
        return sorted(apps, key=app_name)

    async def _named(self, name: str) -> list[Json]:
        """Return the apps of a name, else of a former name, so that a renamed app is found.

        One that is new comes from the cluster itself.
        """
        known = self._observed.all(APPS)
        apps = [app for app in known if app_name(app) == name]
        apps = apps or [app for app in known if app["metadata"]["name"] == name]
        if not apps:
            listing = await self._own.list(APPS, fields=f"metadata.name={name}")
            apps = list(listing.items)
            for app in apps:
                self._observed.put(APPS, app)
        return apps

    async def _visible(self, caller: Caller, apps: list[Json]) -> list[Json]:
        spaces = sorted({str(app["metadata"]["namespace"]) for app in apps})
        if len(spaces) > 1 and await self._rights.may_everywhere(caller, _SEE):
            return apps
        open_ = await asyncio.gather(*(self._rights.may(caller, _SEE, each) for each in spaces))
        seen = {space for space, may in zip(spaces, open_, strict=True) if may}
        return [app for app in apps if app["metadata"]["namespace"] in seen]


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
