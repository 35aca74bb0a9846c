"""Where an app's log comes from in this installation: dynos, the gateway, perhaps a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from haikube.api.kernel.observed import Kind, Observed
from haikube.cluster.port import Cluster, Json
from haikube.logs.chronicle import Chronicle
from haikube.logs.gateway import Gateway
from haikube.logs.store import Store, StoredLogs
from haikube.model import labels
from haikube.model.app import App, parse_app
from haikube.model.resources import APPS, PODS
from haikube.plan.hosts import decide_hosts, wanted_hosts
from haikube.settings import Settings

DYNO_PODS: Final = Kind(PODS, labels=f"{labels.COMPONENT} in (dyno,one-off,release-phase)")
"""The pods whose output is an app's log; whoever reads logs watches them."""


@dataclass(frozen=True, slots=True)
class LogSources:
    """One of each per process."""

    router: Gateway
    history: StoredLogs | None
    store: Store | None
    observed: Observed

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write the chronicle while the block runs, where there is a store."""
        if self.store is None:
            yield
            return
        writing = asyncio.create_task(Chronicle(self.observed, self.store).run())
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            await self.store.close()


def log_sources(settings: Settings, own: Cluster, observed: Observed) -> LogSources:
    """Return the sources that the settings name."""
    hosts = partial(granted_hosts, settings, observed)
    router = Gateway(own, observed, hosts, _router_pods(settings))
    if not settings.log_store_url:
        return LogSources(router, None, None, observed)
    password = settings.log_store_password.get_secret_value()
    store = Store(settings.log_store_url, settings.log_store_user, password)
    places = settings.gateway_namespace, settings.namespace
    return LogSources(router, StoredLogs(store, hosts, *places), store, observed)


def _router_pods(settings: Settings) -> list[tuple[str, str]]:
    """Return the pods that tell of requests: the errors service's, the gateway's if it is ours."""
    errors = (settings.namespace, "app.kubernetes.io/name=haikube-errors")
    gateway = (settings.gateway_namespace, settings.gateway_pods)
    return [gateway, errors] if settings.gateway_pods else [errors]


def granted_hosts(settings: Settings, observed: Observed, app: Json) -> Iterable[str]:
    """Return the hosts that an app has: not those that it asked for in vain."""
    wish = parse_app(app)
    wanted = set(wanted_hosts(wish, settings))
    rivals: dict[str, tuple[App, ...]] = {}
    for other in map(parse_app, observed.all(APPS)):
        if other.meta.uid != wish.meta.uid:
            for host in wanted.intersection(wanted_hosts(other, settings)):
                rivals[host] = (*rivals.get(host, ()), other)
    return decide_hosts(wish, rivals, settings).granted
