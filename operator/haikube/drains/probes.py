"""``/healthz`` and ``/metrics`` of the drains process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

SENT = Counter("haikube_drain_lines", "lines that arrived at drains")
LATE = Counter("haikube_drain_late", "batches that have to be sent again")


@asynccontextmanager
async def probes(port: int) -> AsyncIterator[None]:
    """Answer while the block runs."""
    app = web.Application()
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/metrics", _metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - the kubelet probes the pod's address
    try:
        yield
    finally:
        await runner.cleanup()


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
