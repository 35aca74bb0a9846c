"""Gateway: the listeners for certificates of one app, and what their certificates are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from haikube.model import labels
from haikube.model.certificate import Certificate
from haikube.model.meta import Meta, Raw, parse_meta


@dataclass(frozen=True, slots=True)
class Gateway:
    """``names`` and ``fingerprints`` are those of all certificates of the app that it is for.

    The hosts that it serves may be fewer.
    """

    meta: Meta
    hosts: frozenset[str]
    names: frozenset[str]
    fingerprints: frozenset[str]
    ready: frozenset[str]
    """The hosts whose listeners the gateway has taken up."""


def parse_gateway(obj: Raw) -> Gateway:
    """Return the Gateway in a raw object."""
    meta = parse_meta(obj)
    listeners = (obj.get("spec") or {}).get("listeners") or ()
    noted = _noted(meta.annotations)
    return Gateway(
        meta=meta,
        hosts=frozenset(each.get("hostname", "") for each in listeners),
        names=frozenset(name for names in noted.values() for name in names),
        fingerprints=frozenset(noted),
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


def note_of(certificate: Certificate) -> str:
    """Return the word that a Gateway notes of a certificate, see ``labels.CERTIFICATE``."""
    return f"{certificate.fingerprint}={','.join(certificate.names)}"


def _noted(annotations: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the names of the certificates that are noted, by fingerprint."""
    words = (each.partition("=") for each in annotations.get(labels.CERTIFICATE, "").split())
    return {mark: tuple(filter(None, names.split(","))) for mark, _, names in words}
