"""HTTPRoute: whether the gateway took an app's hosts, as the gateway reports it."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta

_CHECKS = ("Accepted", "ResolvedRefs")

RELEASE_HEADER = "Haikube-Release"
"""Response header by which the gateway says which release an app's web dynos run, ``v12``."""

CODE_HEADER = "Haikube-Code"
"""Response header of the platform's own answers: Heroku's code of the error, ``H12``."""

VIA = "1.1 haikube"
"""What the router adds to the header Via of requests and answers."""


def marked_version(mark: str) -> int:
    """Return the version that such a mark names, 0 for none."""
    number = mark.removeprefix("v")
    return int(number) if number.isdecimal() and number.isascii() else 0


@dataclass(frozen=True, slots=True)
class Route:
    """``admitted`` is None until a gateway has spoken; ``refusal`` is what it said."""

    meta: Meta
    hostnames: tuple[str, ...]
    admitted: bool | None
    refusal: str


def parse_route(obj: Raw) -> Route:
    """Return the HTTPRoute in a raw object; its first parent is the platform's Gateway."""
    spec = obj.get("spec") or {}
    parent = next((each.get("name") for each in spec.get("parentRefs") or ()), None)
    admitted, refusal = _admission(obj.get("status") or {}, parent)
    hostnames = tuple(spec.get("hostnames") or ())
    return Route(meta=parse_meta(obj), hostnames=hostnames, admitted=admitted, refusal=refusal)


def _admission(status: Raw, gateway: str | None) -> tuple[bool | None, str]:
    seen = False
    for parent in status.get("parents") or ():
        if gateway is not None and (parent.get("parentRef") or {}).get("name", gateway) != gateway:
            continue
        for each in parent.get("conditions") or ():
            if each.get("type") not in _CHECKS:
                continue
            if each.get("status") == "False":
                return False, f"{each.get('reason')}: {each.get('message')}"
            seen = seen or (each.get("type") == "Accepted" and each.get("status") == "True")
    return (True, "") if seen else (None, "")
