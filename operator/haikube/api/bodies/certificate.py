"""Certificates: what a chain of PEM blocks says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from haikube.api.bodies.parts import app_ref, created
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid
from haikube.cluster.port import Json

_SHORT: Final = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
}
_LONGEST: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and those that it was signed with, as PEM."""

    chain: str
    domains: tuple[str, ...]
    issuer: str
    subject: str
    starts_at: datetime
    expires_at: datetime

    @property
    def self_signed(self) -> bool:
        """Return whether it vouches for itself."""
        return self.issuer == self.subject


def read_certificate(chain: str) -> Certificate:
    """Return what a chain says; raises a 422 ``Problem`` for what is none."""
    if len(chain) > _LONGEST:
        raise invalid(f"The certificate chain has {len(chain):,} characters, at most {_LONGEST:,}.")
    try:
        first = x509.load_pem_x509_certificates(chain.encode())[0]
    except (ValueError, IndexError):
        raise invalid(
            "The certificate chain is not PEM: it begins -----BEGIN CERTIFICATE-----."
        ) from None
    return Certificate(
        chain=chain,
        domains=_domains(first),
        issuer=_words(first.issuer),
        subject=_words(first.subject),
        starts_at=first.not_valid_before_utc,
        expires_at=first.not_valid_after_utc,
    )


def require_key(chain: str, key: str) -> None:
    """Raise a 422 ``Problem`` unless a private key, without a password, fits a certificate."""
    try:
        private = load_pem_private_key(key.encode(), None)
        first = x509.load_pem_x509_certificates(chain.encode())[0]
    except TypeError:
        raise invalid("The private key has a password: remove it with openssl pkey.") from None
    except (ValueError, IndexError):
        raise invalid(
            "The private key is not PEM: it begins -----BEGIN PRIVATE KEY-----."
        ) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != first.public_key().public_bytes(*form):
        raise invalid("The private key does not belong to the certificate: it needs another one.")


def endpoint_body(
    app: Json, name: str, certificate: Certificate | None, *, domains: list[str]
) -> Json:
    """Return an SNI endpoint; a certificate that the caller may not read is None."""
    uid = app["metadata"]["uid"]
    return {
        "id": made_id("sni", f"{uid}/{name}"),
        "name": name,
        "display_name": None,
        "app": app_ref(app),
        "certificate_chain": certificate.chain if certificate else "",
        "domains": domains,
        "ssl_cert": _ssl(uid, name, certificate),
        "created_at": created(app),
        "updated_at": created(app),
    }


def _ssl(uid: str, name: str, certificate: Certificate | None) -> Json:
    known = certificate
    return {
        "id": made_id("certificate", f"{uid}/{name}"),
        "acm": False,
        "ca_signed?": bool(known and not known.self_signed),
        "self_signed?": bool(known and known.self_signed),
        "cert_domains": list(known.domains) if known else [],
        "expires_at": _time(known.expires_at) if known else "1970-01-01T00:00:00Z",
        "starts_at": _time(known.starts_at) if known else "1970-01-01T00:00:00Z",
        "issuer": known.issuer if known else "",
        "subject": known.subject if known else "",
    }


def _domains(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(each.value) for each in common)
    return tuple(names.value.get_values_for_type(x509.DNSName))


def _words(name: x509.Name) -> str:
    """Return a name as OpenSSL writes it in one line."""
    parts = (f"{_SHORT.get(each.oid, each.oid.dotted_string)}={each.value!s}" for each in name)
    return "".join(f"/{each}" for each in parts)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
