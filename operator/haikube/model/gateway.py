"""Gateway: the listeners for certificates of one app, and what their certificates are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from haikube.model import labels
from haikube.model.meta import Meta, Raw, parse_meta


@dataclass(frozen=True, slots=True)
class Gateway:
    """``names`` are those of all certificates behind it; the hosts it serves may be fewer."""

    meta: Meta
    hosts: frozenset[str]
    names: frozenset[str]
    ready: frozenset[str]
    """The hosts whose listeners the gateway has taken up."""


def parse_gateway(obj: Raw) -> Gateway:
    """Return the Gateway in a raw object."""
    meta = parse_meta(obj)
    listeners = (obj.get("spec") or {}).get("listeners") or ()
    return Gateway(
        meta=meta,
        hosts=frozenset(each.get("hostname", "") for each in listeners),
        names=noted_names(meta.annotations),
        ready=frozenset(_ready(obj)),
    )


def _ready(obj: Raw) -> Iterator[str]:
    told = (obj.get("status") or {}).get("listeners") or ()
    programmed = {
        each.get("name")
        for each in told
        for condition in each.get("conditions") or ()
        if condition.get("type") == "Programmed" and condition.get("status") == "True"
    }
    for each in (obj.get("spec") or {}).get("listeners") or ():
        if each.get("name") in programmed:
            yield each.get("hostname", "")


def noted_names(annotations: Mapping[str, str]) -> frozenset[str]:
    """Return the names of all certificates that a Gateway notes, see ``labels.CERTIFICATE``."""
    words = annotations.get(labels.CERTIFICATE, "").split(" ")
    return frozenset(name for each in words for name in each.partition("=")[2].split(",") if name)
