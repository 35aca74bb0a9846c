"""The process: settings, cluster, then one HTTP port until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Final

import uvicorn

from haikube.cluster.http import HttpCluster
from haikube.errors.service import create_app
from haikube.jsonlog import configure_logging
from haikube.settings import Settings, read_settings

_MOST_AT_ONCE: Final = 2000
_STOP_SECONDS: Final = 5


def main() -> None:
    """Run the service."""
    settings = read_settings("haikube-errors")
    configure_logging(settings.log_level)
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM."""
    async with HttpCluster.from_environment(user_agent="haikube-errors") as cluster:
        config = uvicorn.Config(
            create_app(settings, cluster),
            host="0.0.0.0",  # noqa: S104 - the pod's own address, whatever it is
            port=settings.api_port,
            access_log=False,
            log_config=None,
            lifespan="on",
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=_STOP_SECONDS,
            http="httptools",
            ws="none",
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    main()
