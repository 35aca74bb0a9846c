"""Probes and metrics of the api."""

from __future__ import annotations

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

REQUESTS: Final = Counter(
    "haikube_api_requests", "Requests answered.", ["method", "route", "status"]
)
SECONDS: Final = Histogram(
    "haikube_api_request_seconds",
    "From the first byte of a request to the last of its answer.",
    ["method", "route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600),
)


async def alive(request: Request) -> Response:
    """Answer while the event loop turns."""
    del request
    return PlainTextResponse("ok\n")


async def ready(request: Request) -> Response:
    """Answer 200 from the end of the start to the beginning of the stop."""
    if getattr(request.app.state, "ready", False):
        return PlainTextResponse("ok\n")
    return PlainTextResponse("starting or stopping\n", 503)


async def metrics(request: Request) -> Response:
    """Answer in the format of Prometheus."""
    del request
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES: Final = [
    Route("/healthz", alive, methods=["GET"]),
    Route("/readyz", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
