"""App: one application, its declared source, config, hosts and rollout policy."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta, ref_name
from haikube.model.names import config_secret_name
from haikube.model.source import Source, parse_buildpacks, parse_source

SURGE, REPLACE, IN_PLACE = "Surge", "Replace", "InPlace"


@dataclass(frozen=True, slots=True)
class Rollout:
    """How dynos are replaced; None means that the platform's setting counts."""

    strategy: str
    max_surge: str | int | None
    boot_timeout: int | None
    shutdown_grace: int | None

    @property
    def surges(self) -> bool:
        """Return whether new dynos start beside the old ones."""
        return self.strategy not in {REPLACE, IN_PLACE}

    @property
    def in_place(self) -> bool:
        """Return whether it goes one by one, with no dyno above the wanted number at any time."""
        return self.strategy == IN_PLACE


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """A certificate, the Secret it is in, and the domains that it is to serve."""

    name: str
    secret: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """The declared app, and its status as it was last written.

    ``name`` is what people call it, and its host: that of the object until it is renamed.
    """

    meta: Meta
    name: str
    stack: str | None
    buildpacks: tuple[dict[str, str], ...]
    source: Source | None
    config: str
    domains: tuple[str, ...]
    certificates: tuple[CertificateRef, ...]
    automatic_certificates: bool
    session_affinity: bool
    maintenance: bool
    rollout: Rollout
    tells_dynos: bool
    build_timeout: int | None
    status: Raw


def parse_app(obj: Raw) -> App:
    """Return the App in a raw object."""
    meta = parse_meta(obj)
    spec = obj.get("spec") or {}
    rollout = spec.get("rollout") or {}
    return App(
        meta=meta,
        name=spec.get("name") or meta.name,
        stack=spec.get("stack"),
        buildpacks=parse_buildpacks(spec.get("buildpacks")),
        source=parse_source(spec.get("source")),
        config=ref_name(spec, "configRef") or config_secret_name(meta.name),
        domains=tuple(each["hostname"] for each in spec.get("domains") or ()),
        certificates=_certificates(spec),
        automatic_certificates=spec.get("automaticCertificates") == "Enabled",
        session_affinity=spec.get("sessionAffinity") == "Enabled",
        maintenance=spec.get("maintenance") == "Enabled",
        rollout=Rollout(
            strategy=rollout.get("strategy") or SURGE,
            max_surge=rollout.get("maxSurge"),
            boot_timeout=rollout.get("bootTimeoutSeconds"),
            shutdown_grace=rollout.get("shutdownGraceSeconds"),
        ),
        tells_dynos=spec.get("dynoMetadata") != "Disabled",
        build_timeout=spec.get("buildTimeoutSeconds"),
        status=obj.get("status") or {},
    )


def _certificates(spec: Raw) -> tuple[CertificateRef, ...]:
    used = [(each.get("certificate"), each["hostname"]) for each in spec.get("domains") or ()]
    return tuple(
        CertificateRef(
            each["name"],
            each["secretName"],
            tuple(hostname for name, hostname in used if name == each["name"]),
        )
        for each in spec.get("certificates") or ()
    )
