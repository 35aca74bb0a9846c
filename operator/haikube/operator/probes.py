"""The only port of the operator: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from haikube.engine.health import Health
from haikube.operator.metrics import Metrics

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_UNAVAILABLE = 503


def probes_app(health: Health, metrics: Metrics, ready: Callable[[], str]) -> web.Application:
    """Return the application; ``ready`` returns what is missing, or nothing."""

    async def healthz(_: web.Request) -> web.Response:
        problems = health.problems()
        status = _UNAVAILABLE if problems else 200
        return web.Response(text="\n".join(problems) or "ok", status=status)

    async def readyz(_: web.Request) -> web.Response:
        missing = ready()
        return web.Response(text=missing or "ok", status=_UNAVAILABLE if missing else 200)

    async def figures(_: web.Request) -> web.Response:
        body = metrics.text(health.ages())
        return web.Response(body=body, headers={"Content-Type": _METRICS_TYPE})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", figures)
    return app


async def serve_probes(app: web.Application, port: int) -> web.AppRunner:
    """Start serving; the caller cleans the runner up."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - the kubelet probes the pod's address
    return runner
