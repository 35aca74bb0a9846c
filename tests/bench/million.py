"""Run in the api's pod: a million lines into the log store, as a dyno that is gone left them.

usage: python3 - APP_UID < million.py; prints the seconds in which the store gives the last 1,500
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

LINES = 1_000_000
BATCH = 50_000
POD = "bench-million"
_STREAM = {"_stream_fields": "k8s.pod.uid,k8s.namespace.name", "_msg_field": "_msg"}
_NAMES = {"_stream_fields": "haikube.kind,haikube.app", "_msg_field": "_msg"}


async def main(app: str) -> None:
    """Write, wait until the store shows them, and ask for the last."""
    password = os.environ["HAIKUBE_LOG_STORE_PASSWORD"]
    headers = {"Authorization": aiohttp.encode_basic_auth("haikube", password)}
    async with aiohttp.ClientSession(os.environ["HAIKUBE_LOG_STORE_URL"], headers=headers) as http:
        end = datetime.now(UTC)
        await _write(http, _NAMES, [_name(app, end)])
        for first in range(0, LINES, BATCH):
            await _write(
                http, _STREAM, [_line(end, number) for number in range(first, first + BATCH)]
            )
        query = f'_time:1d {{k8s.pod.uid="{POD}"}}'
        while await _asked(http, query) < 1500:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.5)
        begun = time.monotonic()
        await _asked(http, query)
        sys.stdout.write(f"{time.monotonic() - begun:.3f}\n")


def _line(end: datetime, number: int) -> dict[str, Any]:
    moment = end - timedelta(microseconds=20 * (LINES - number))
    text = f"line {number} of a million, as long as lines of a web server are " + "x" * 40
    fields = {"k8s.pod.uid": POD, "k8s.namespace.name": "default"}
    return {"_time": moment.isoformat(), "_msg": text, **fields}


def _name(app: str, moment: datetime) -> dict[str, Any]:
    told = {"kind": "name", "app": app, "pod": POD, "dyno": "web.9", "address": ""}
    fields = {f"haikube.{name}": text for name, text in told.items()}
    since = f"{moment:%Y-%m-%dT%H:%M:%S.%f}000"
    return {"_time": moment.isoformat(), "_msg": "name", **fields, "haikube.since": since}


async def _write(
    http: aiohttp.ClientSession, fields: dict[str, str], records: list[dict[str, Any]]
) -> None:
    body = "".join(json.dumps(record) + "\n" for record in records)
    async with http.post("/insert/jsonline", params=fields, data=body) as answer:
        assert answer.status == 200, await answer.text()


async def _asked(http: aiohttp.ClientSession, query: str) -> int:
    wanted = {"query": query, "limit": "1500"}
    async with http.post("/select/logsql/query", data=wanted) as answer:
        return len((await answer.read()).splitlines())


asyncio.run(main(sys.argv[1]))
