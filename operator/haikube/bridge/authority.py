"""The certificate with which the bridge speaks TLS to git and to ``heroku run``.

An authority of this machine alone signs one certificate for the loopback names, and its key is
thrown away at once: nobody, not even a thief of the files, can sign a second one with it.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from haikube.bridge.profile import config_dir, write_private

_LIFE: Final = timedelta(days=800)
_RENEW_BEFORE: Final = timedelta(days=30)
_SKEW: Final = timedelta(hours=1)


def authority_file() -> Path:
    """Return the authority's certificate: what clients have to trust."""
    return config_dir() / "tls" / "ca.pem"


def certificate_file() -> Path:
    """Return the bridge's own certificate, with its key."""
    return config_dir() / "tls" / "localhost.pem"


def ensure(now: datetime) -> bool:
    """Make both files unless there are good ones; return whether they were made."""
    if usable_until(now) is not None:
        return False
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key, now)
    leaf = _leaf(key.public_key(), authority, authority_key, now)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(certificate_file(), (_pem(leaf) + private).decode())
    write_private(authority_file(), _pem(authority).decode())
    return True


def usable_until(now: datetime) -> datetime | None:
    """Return when the certificate ends, or None when it is missing, damaged or about to end."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate_file().read_bytes())
        authority = x509.load_pem_x509_certificate(authority_file().read_bytes())
        leaf.verify_directly_issued_by(authority)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return None
    ends = leaf.not_valid_after_utc
    return ends if ends - _RENEW_BEFORE > now else None


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haikube bridge of this machine")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    loopback = x509.NameConstraints(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
            x509.IPAddress(ipaddress.ip_network("::1/128")),
        ],
        None,
    )
    return (
        _begun(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(loopback, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePublicKey,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        _begun(name, authority.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(signer, hashes.SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
