"""Copies of an app, made where the API server keeps its objects: no API makes 100,000 in a minute.

Names and uids of a copy are as long as those of the original, so they can take their places in any
encoding. What is wrong with a copy all the same the operator puts right when it sees it first.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from itertools import islice

import aiohttp

from bench.client import Json

_MOST_WRITES = 100
"""In a transaction: etcd allows 128."""

_UID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KINDS = re.compile(rb"/registry/(haikube\.dev|secrets|services/specs|deployments)/")

Pair = tuple[bytes, bytes]


async def multiply(port: int, namespace: str, name: str, others: list[str]) -> int:
    """Copy everything of an app for each of the ``others``; returns how many objects that made."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as etcd:
        pairs = [each async for each in _of_app(etcd, namespace, name)]
        copies = (
            _copied(pair, name.encode(), other.encode(), number)
            for number, other in enumerate(others, 1)
            for pair in pairs
        )
        while batch := list(islice(copies, _MOST_WRITES)):
            puts = [
                {"requestPut": {"key": _text(key), "value": _text(value)}} for key, value in batch
            ]
            await _call(etcd, "txn", {"success": puts})
    return len(pairs) * len(others)


async def _of_app(etcd: aiohttp.ClientSession, namespace: str, name: str) -> AsyncIterator[Pair]:
    wanted = re.compile(rb"/%s/%s(-|$)" % (namespace.encode(), name.encode()))
    found = await _call(
        etcd, "range", {"key": _text(b"/registry/"), "range_end": _text(b"/registry0")}
    )
    for each in found["kvs"]:
        key = base64.b64decode(each["key"])
        if _KINDS.match(key) and wanted.search(key):
            yield key, base64.b64decode(each["value"])


def _copied(pair: Pair, old: bytes, new: bytes, number: int) -> Pair:
    assert len(old) == len(new), f"{new!r} is not as long as {old!r}"
    key, value = pair

    def other(found: re.Match[bytes]) -> bytes:
        if found[0] == old:
            return new
        last = int(found[0][-12:], 16)
        return found[0][:-12] + b"%012x" % (last ^ number)

    return key.replace(old, new), re.sub(b"%s|%s" % (re.escape(old), _UID), other, value)


async def _call(etcd: aiohttp.ClientSession, what: str, body: Json) -> Json:
    async with etcd.post(f"/v3/kv/{what}", json=body) as answer:
        found: Json = await answer.json()
        assert answer.status == 200, found
        return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
