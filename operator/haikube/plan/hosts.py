"""Which hostnames an app gets: the oldest app that asks for one has it, some are the platform's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haikube.model.app import App
from haikube.settings import Settings

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an app does not get a hostname, with the remedy."""

    hostname: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hostnames an app has, and those it asked for in vain."""

    granted: tuple[str, ...]
    refused: tuple[Refusal, ...]


Rivals = Mapping[str, tuple[App, ...]]
"""The other apps that ask for a hostname."""


def default_host(app: str, settings: Settings) -> str:
    """Return the hostname that every app has by its name."""
    return f"{app}.{settings.domain}"


def wanted_hosts(app: App, settings: Settings) -> tuple[str, ...]:
    """Return the hostnames an app asks for: its own first, then its domains, each once."""
    asked = (default_host(app.name, settings), *(each.lower() for each in app.domains))
    return tuple(dict.fromkeys(asked))


def app_url(host: str, settings: Settings) -> str:
    """Return the URL of a host, its port only where a browser needs it."""
    usual = _DEFAULT_PORTS[settings.scheme] == settings.public_port
    port = "" if usual else f":{settings.public_port}"
    return f"{settings.scheme}://{host}{port}/"


def decide_hosts(app: App, rivals: Rivals, settings: Settings) -> Hosts:
    """Return what an app gets of what it asks for."""
    refused = tuple(
        refusal
        for host in wanted_hosts(app, settings)
        if (refusal := _refusal(host, app, rivals.get(host, ()), settings))
    )
    lost = {each.hostname for each in refused}
    granted = (host for host in wanted_hosts(app, settings) if host not in lost)
    return Hosts(tuple(granted), refused)


def _refusal(host: str, app: App, rivals: Iterable[App], settings: Settings) -> Refusal | None:
    if host in _reserved(settings):
        return Refusal(
            host,
            "HostnameReserved",
            f"{host} belongs to the platform; rename the app or remove the domain",
        )
    if not is_entitled(host, app, settings):
        return Refusal(
            host,
            "HostnameReserved",
            f"names under {settings.domain} are given to apps by their name; "
            f"remove the domain {host}, or name an app like it",
        )
    entitled = (each for each in rivals if is_entitled(host, each, settings))
    winner = min((app, *entitled), key=precedence)
    if winner.meta.uid == app.meta.uid:
        return None
    return Refusal(
        host,
        "HostnameTaken",
        f"{host} belongs to the older app {winner.meta.namespace}/{winner.meta.name}; "
        "rename this app or remove the domain from one of the two",
    )


def is_entitled(host: str, app: App, settings: Settings) -> bool:
    """Say whether an app may ask for a host at all: nobody blocks a name by a vain wish."""
    return not _under(host, settings.domain) or host == default_host(app.name, settings)


def _under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _reserved(settings: Settings) -> set[str]:
    return {settings.domain, *(f"{name}.{settings.domain}" for name in settings.reserved_hosts)}


def precedence(app: App) -> tuple[object, ...]:
    """Return what apps are ordered by where two ask for the same: the older first."""
    return (app.meta.created, app.meta.namespace, app.meta.name, app.meta.uid)
