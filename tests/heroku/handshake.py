"""What a visitor's TLS handshake shows: which certificate the gateway serves for a host."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terminal import SECURE_GATEWAY


def fetched(host: str, chain: Path) -> bool:
    """Say whether the app answers for a host, with a certificate that a chain vouches for."""
    try:
        with _connected(host, chain) as secure:
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return secure.recv(64).startswith(b"HTTP/1.1 200")
    except ssl.SSLError:
        return False


def certificate_of(host: str, chain: Path) -> bytes:
    """Return the certificate of a host that a chain vouches for, as DER."""
    with _connected(host, chain) as secure:
        shown = secure.getpeercert(binary_form=True)
    assert shown is not None
    return shown


@contextmanager
def _connected(host: str, chain: Path) -> Iterator[ssl.SSLSocket]:
    trust = ssl.create_default_context(cafile=str(chain))
    with (
        socket.create_connection(SECURE_GATEWAY, timeout=60) as plain,
        trust.wrap_socket(plain, server_hostname=host) as secure,
    ):
        yield secure
