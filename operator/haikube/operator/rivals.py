"""Who else asks for the hosts of an app, or serves a certificate that would answer for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haikube.engine.store import Store
from haikube.model import labels
from haikube.model.app import App
from haikube.model.certificate import wildcard_of
from haikube.model.gateway import Gateway
from haikube.model.resources import APPS, GATEWAYS
from haikube.plan.hosts import Rivals, wanted_hosts
from haikube.settings import Settings


def find_asking(store: Store, app: App, hosts: Iterable[str]) -> Rivals:
    """Return the other apps that ask for each of these hosts."""
    return {host: _others(app, store.values(APPS, "host", host)) for host in hosts}


def find_rivals(store: Store, app: App, settings: Settings) -> Rivals:
    """Return the other apps that have a claim to a host of this one, by host."""
    asking = find_asking(store, app, wanted_hosts(app, settings))
    claims = {
        host: (*others, *_others(app, _certified(store, app, host)))
        for host, others in asking.items()
    }
    return {host: rivals for host, rivals in claims.items() if rivals}


def _others(app: App, found: Iterable[App]) -> tuple[App, ...]:
    return tuple(each for each in found if each.meta.uid != app.meta.uid)


def _certified(store: Store, app: App, host: str) -> Iterator[App]:
    """Yield the apps of other teams whose certificate would answer for a host of this one."""
    names = (host, wildcard_of(host))
    served = [each for name in names for each in store.values(GATEWAYS, "names", name)]
    if any(_app_uid(each) == app.meta.uid and host in each.hosts for each in served):
        return
    for each in served:
        space = each.meta.labels.get(labels.APP_NAMESPACE, "")
        other = store.value(APPS, space, each.meta.labels.get(labels.APP, ""))
        if space != app.meta.namespace and other and other.meta.uid == _app_uid(each):
            yield other


def _app_uid(gateway: Gateway) -> str:
    return gateway.meta.labels.get(labels.APP_UID, "")
