"""Which app a host belongs to, by the same rule that gives apps their routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from haikube.model.app import App, parse_app
from haikube.model.meta import Raw
from haikube.plan.hosts import decide_hosts, wanted_hosts
from haikube.settings import Settings

_FRESH_SECONDS: Final = 1.0

Claims = Mapping[str, tuple[App, ...]]


def bare_host(text: str) -> str:
    """Return a host as hostnames are compared: lower case, without port and closing dot.

    >>> bare_host("Hello.Example.com.:8080"), bare_host("[::1]:80"), bare_host("")
    ('hello.example.com', '[::1]', '')
    """
    name, colon, port = text.rpartition(":")
    host = name if colon and port.isdecimal() else text
    return host.lower().removesuffix(".")


class Hosts:
    """Finds apps by host; what is known may be a second old, so that strangers cost nothing."""

    def __init__(
        self,
        apps: Callable[[], Iterable[Raw]],
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._apps = apps
        self._settings = settings
        self._clock = clock
        self._claims: Claims = {}
        self._read_at = float("-inf")

    def find(self, host: str) -> App | None:
        """Return the app that a host was given to."""
        if self._clock() - self._read_at > _FRESH_SECONDS:
            self._claims = self._read()
            self._read_at = self._clock()
        claims = self._claims.get(bare_host(host), ())
        return next((app for app in claims if self._has(app, bare_host(host), claims)), None)

    def _read(self) -> Claims:
        claims: defaultdict[str, list[App]] = defaultdict(list)
        for app in map(parse_app, self._apps()):
            for host in wanted_hosts(app, self._settings):
                claims[host].append(app)
        return {host: tuple(apps) for host, apps in claims.items()}

    def _has(self, app: App, host: str, claims: tuple[App, ...]) -> bool:
        rivals = {host: tuple(each for each in claims if each is not app)}
        return host in decide_hosts(app, rivals, self._settings).granted
