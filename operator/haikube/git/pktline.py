"""The few pkt-lines that are ours: everything else on the wire is written by git itself."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 65_516
_PROGRESS: Final = b"\x02"

FLUSH: Final = b"0000"


def encode(payload: bytes) -> bytes:
    """Return ``payload`` as one pkt-line."""
    if len(payload) > _LONGEST:
        raise ValueError(f"a pkt-line holds at most {_LONGEST} bytes, not {len(payload)}")
    return f"{len(payload) + 4:04x}".encode() + payload


def progress(text: str) -> bytes:
    """Return ``text`` as a message on the side band, shown as ``remote:`` lines."""
    data = text.encode()
    size = _LONGEST - 1
    parts = (data[start : start + size] for start in range(0, len(data), size))
    return b"".join(encode(_PROGRESS + part) for part in parts)


def service_header(service: str) -> bytes:
    """Return what stands before an advertisement of refs."""
    return encode(f"# service={service}\n".encode()) + FLUSH


def error(message: str) -> bytes:
    """Return a refusal that git prints as ``fatal: remote error: message``."""
    return encode(f"ERR {message}\n".encode())
