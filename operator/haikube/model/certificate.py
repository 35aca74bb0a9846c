"""Certificates: what a chain of PEM blocks says about itself, and whether a key fits it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_SHORT: Final = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
}
_LONGEST: Final = 64 << 10


class InvalidCertificate(ValueError):
    """What was given is no certificate, or no key of it; the message says how it should be."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and those that it was signed with, as PEM.

    ``domains`` are the names it is for; ``names`` are all names by which a gateway may choose it.
    """

    chain: str = field(repr=False)
    domains: tuple[str, ...]
    names: tuple[str, ...]
    issuer: str
    subject: str
    starts_at: datetime
    expires_at: datetime
    fingerprint: str

    @property
    def self_signed(self) -> bool:
        """Return whether it vouches for itself."""
        return self.issuer == self.subject

    def covers(self, hostname: str) -> bool:
        """Return whether it is for a host name, or for a wildcard that is the same or wider."""
        return is_named(hostname, (each.lower() for each in self.domains))


def is_named(hostname: str, names: Iterable[str]) -> bool:
    """Return whether one of the names of a certificate is for a host.

    >>> is_named("a.example.com", ["*.example.com"]), is_named("a.b.example.com", ["*.example.com"])
    (True, False)
    """
    return bool({hostname, wildcard_of(hostname)} & set(names))


def wildcard_of(hostname: str) -> str:
    """Return the wildcard that takes a host name in."""
    return f"*.{hostname.partition('.')[2]}"


def read_certificate(chain: str) -> Certificate:
    """Return what a chain says; raises ``InvalidCertificate``."""
    if len(chain) > _LONGEST:
        raise InvalidCertificate(
            f"The certificate chain has {len(chain):,} characters, at most {_LONGEST:,}."
        )
    first = _first(chain)
    alternatives = _alternatives(first)
    common = [str(each.value) for each in first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    domains = alternatives.get_values_for_type(x509.DNSName) if alternatives else common
    addresses = alternatives.get_values_for_type(x509.IPAddress) if alternatives else []
    names = (each.lower() for each in (*common, *domains, *map(str, addresses)))
    return Certificate(
        chain=chain,
        domains=tuple(domains),
        names=tuple(dict.fromkeys(names)),
        issuer=_words(first.issuer),
        subject=_words(first.subject),
        starts_at=first.not_valid_before_utc,
        expires_at=first.not_valid_after_utc,
        fingerprint=first.fingerprint(SHA256()).hex(),
    )


def require_key(chain: str, key: str) -> None:
    """Raise ``InvalidCertificate`` unless a private key, without a password, fits a chain."""
    try:
        private = load_pem_private_key(key.encode(), None)
    except TypeError:
        raise InvalidCertificate(
            "The private key has a password: remove it with openssl pkey."
        ) from None
    except ValueError:
        raise InvalidCertificate(
            "The private key is not PEM: it begins -----BEGIN PRIVATE KEY-----."
        ) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != _first(chain).public_key().public_bytes(*form):
        raise InvalidCertificate(
            "The private key does not belong to the certificate: it needs another one."
        )


def _first(chain: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(chain.encode())[0]
    except (ValueError, IndexError):
        raise InvalidCertificate(
            "The certificate chain is not PEM: it begins -----BEGIN CERTIFICATE-----."
        ) from None


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        kind = x509.SubjectAlternativeName
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _words(name: x509.Name) -> str:
    """Return a name as OpenSSL writes it in one line."""
    parts = (f"{_SHORT.get(each.oid, each.oid.dotted_string)}={each.value!s}" for each in name)
    return "".join(f"/{each}" for each in parts)
