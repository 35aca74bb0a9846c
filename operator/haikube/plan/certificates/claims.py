"""Which certificates are served, and why others are not.

A gateway may choose a certificate by the name in the handshake alone, whoever brought it. So one
is served only if none of its names reaches the platform's own names, or a host or certificate of
another team that was there first; the same certificate may be with two teams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from haikube.model.app import App
from haikube.model.certificate import Certificate, is_named
from haikube.model.meta import Meta
from haikube.model.resources import Resource
from haikube.model.secret import Secret
from haikube.plan.hosts import is_entitled, precedence
from haikube.settings import Settings

_MOST_NAMES: Final = 100
WILDCARD: Final = "*."


@dataclass(frozen=True, slots=True)
class Claim:
    """A certificate that domains of an app use: the Secret it is in, and what it turned out to be.

    ``certificate`` is None where the Secret cannot be used; ``problem`` says why.
    """

    app: App
    name: str
    hosts: tuple[str, ...]
    secret: Secret | None
    certificate: Certificate | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A certificate that is not served, and the reason for its people."""

    app: App
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CertificateView:
    """All claims, apps with automatic certificates, who else asks for what, and what there is."""

    claims: tuple[Claim, ...]
    automatic: tuple[App, ...]
    rivals: Mapping[str, tuple[App, ...]]
    """The apps that ask for a host that a certificate names, by that name."""
    live: Mapping[Resource, tuple[Meta, ...]]
    """What lies in the gateway's namespace for certificates."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is served, and what is not."""

    served: tuple[Claim, ...]
    refused: tuple[Refused, ...]


def decide_certificates(view: CertificateView, settings: Settings) -> Decision:
    """Return which certificates are served: of two that contradict, the older app's."""
    served: list[Claim] = []
    refused: list[Refused] = []
    for claim in sorted(view.claims, key=lambda each: (precedence(each.app), each.name)):
        reason = _reason(claim, served, view.rivals, settings)
        if reason:
            refused.append(Refused(claim.app, claim.name, reason))
        else:
            served.append(claim)
    return Decision(tuple(served), tuple(refused))


# Who may have which name


def _reason(
    claim: Claim,
    served: Iterable[Claim],
    rivals: Mapping[str, tuple[App, ...]],
    settings: Settings,
) -> str:
    """Return why a certificate is not served, or nothing."""
    if claim.certificate is None:
        return claim.problem
    if not claim.hosts:
        return "none of the domains that use it is one that it is for"
    return (
        wrong_name(claim.certificate, settings)
        or _contradicts(claim, claim.certificate, served)
        or _reaches(claim, claim.certificate, served, rivals, settings)
    )


def wrong_name(certificate: Certificate, settings: Settings) -> str:
    """Return what is wrong with the names of a certificate that is to be served, or nothing."""
    if len(certificate.names) > _MOST_NAMES:
        return f"it has {len(certificate.names)} names, at most {_MOST_NAMES} can be served"
    for name in certificate.names:
        bare = name.removeprefix(WILDCARD)
        if bare == settings.domain or bare.endswith(f".{settings.domain}"):
            return f"its name {name} belongs to the platform"
        if "*" in bare or (name != bare and "." not in bare):
            return f"its name {name} takes in too much"
    return ""


def _contradicts(claim: Claim, certificate: Certificate, served: Iterable[Claim]) -> str:
    for other in served:
        theirs = other.certificate
        if theirs is None or _same_team(claim, other.app) or _same(certificate, theirs):
            continue
        mine = {*certificate.names, *claim.hosts}
        shared = sorted(mine & set(theirs.names))
        if shared:
            return f"{_whose(other.app)} serves another certificate for {shared[0]}"
    return ""


def _reaches(
    claim: Claim,
    certificate: Certificate,
    served: Iterable[Claim],
    rivals: Mapping[str, tuple[App, ...]],
    settings: Settings,
) -> str:
    """Return whose host, there first, a certificate would answer for."""
    for name in certificate.names:
        for other in rivals.get(name, ()):
            if _same_team(claim, other) or precedence(claim.app) < precedence(other):
                continue
            for host in other.domains:
                reached = is_named(host, (name,)) and is_entitled(host, other, settings)
                if reached and not _has_own(other, host, certificate, served):
                    return f"its name {name} takes in {host} of {_whose(other)}"
    return ""


def _has_own(other: App, host: str, certificate: Certificate, served: Iterable[Claim]) -> bool:
    """Return whether an app serves a certificate by itself that goes before the wider one."""
    return any(
        each.app.meta.uid == other.meta.uid
        and each.certificate is not None
        and host in each.hosts
        and (host in each.certificate.names or _same(each.certificate, certificate))
        for each in served
    )


def _same(one: Certificate, other: Certificate) -> bool:
    return one.fingerprint == other.fingerprint


def _same_team(claim: Claim, other: App) -> bool:
    return claim.app.meta.namespace == other.meta.namespace


def _whose(app: App) -> str:
    return f"the older app {app.meta.namespace}/{app.meta.name}"
