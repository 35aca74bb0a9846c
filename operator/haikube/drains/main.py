"""The drains process: a copy of what the cluster has, and a delivery for each drain.

Of this process there is one; a second would send everything twice.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path
from typing import Final

from haikube.api.kernel.observed import Kind, Observed
from haikube.api.streams.logs import DYNO_PODS, log_sources
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Json
from haikube.drains.guard import Guard
from haikube.drains.probes import probes
from haikube.drains.shipping import Checkpoints, Shipping
from haikube.jsonlog import configure_logging
from haikube.logs.line import Selection
from haikube.logs.tail import Tail
from haikube.model import labels
from haikube.model.resources import APPS, BUILDS, FORMATIONS, RELEASES, SECRETS
from haikube.settings import Settings, read_settings

_SYNC_SECONDS: Final = 30.0
_AUTHORITIES: Final = Path("/etc/haikube/drain-authorities")

WATCHED: Final = (
    Kind(APPS),
    Kind(BUILDS),
    Kind(RELEASES),
    Kind(FORMATIONS),
    DYNO_PODS,
    Kind(SECRETS, labels=labels.DRAINS),
)


def main() -> None:
    """Run the process."""
    settings = read_settings("haikube-drains")
    configure_logging(settings.log_level)
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Ship until SIGTERM."""
    async with HttpCluster.from_environment(user_agent="haikube-drains") as cluster:
        observed = Observed(cluster, WATCHED)
        sources = log_sources(settings, cluster, observed)

        def source(app: Json) -> Tail:
            parts = {"history": sources.history, "router": sources.router}
            return Tail(cluster, observed, app, Selection(), **parts)  # type: ignore[arg-type]

        shipping = Shipping(
            observed,
            Checkpoints(cluster, settings.namespace),
            source,
            Guard(settings.drain_networks),
            _trusting(),
        )
        async with probes(settings.metrics_port), observed.running(_SYNC_SECONDS):
            await _until_told(shipping)
        if sources.store is not None:
            await sources.store.close()


def _trusting() -> ssl.SSLContext:
    """Return what targets are trusted by: public authorities, and those of the site."""
    tls = ssl.create_default_context()
    for file in sorted(_AUTHORITIES.glob("*.crt")):
        tls.load_verify_locations(file)
    return tls


async def _until_told(shipping: Shipping) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, told.set)
    running = asyncio.create_task(shipping.run())
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    running.cancel()
    await asyncio.wait([running])
    if not running.cancelled() and (error := running.exception()) is not None:
        raise error
