"""The api process: settings, cluster, storage, then one HTTP port until it is told to stop."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from types import FrameType
from typing import Final

import structlog
import uvicorn

from haikube.api.app import create_app
from haikube.cluster.http import HttpCluster
from haikube.jsonlog import configure_logging
from haikube.settings import Settings, read_settings
from haikube.storage.port import Storage, StorageError
from haikube.storage.proof import Unfit, prove
from haikube.storage.s3 import S3Storage

_STOP_SECONDS: Final = 50
_PROOF_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


def main() -> None:
    """Run the api."""
    settings = read_settings("haikube-api")
    configure_logging(settings.log_level)
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM; pushes in flight get some time to end."""
    async with HttpCluster.from_environment(user_agent="haikube-api") as cluster:
        storage = S3Storage(settings)
        app = create_app(settings, cluster, storage)
        config = uvicorn.Config(
            app,
            host="0.0.0.0",  # noqa: S104 - the pod's own address, whatever it is
            port=settings.api_port,
            access_log=False,
            log_config=None,
            lifespan="on",
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_STOP_SECONDS,
            http="httptools",
        )
        server = _Server(config, app.state.closing)
        proof = asyncio.create_task(_prove(storage, server))
        await server.serve()
    proof.cancel()
    with suppress(asyncio.CancelledError):
        await proof


async def _prove(storage: Storage, server: uvicorn.Server) -> None:
    """End the api where the storage cannot keep two pushes apart; wait for one that is away."""
    while True:
        try:
            await prove(storage)
        except StorageError as error:
            _log.warning("the storage has not proven itself yet", error=str(error))
            await asyncio.sleep(_PROOF_SECONDS)
        except Unfit as error:
            server.should_exit = True
            sys.exit(f"haikube-api: {error}")
        else:
            return


class _Server(uvicorn.Server):
    """A server that tells what has no end of its own, such as a tail, to end when it is to stop."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._closing.set)


if __name__ == "__main__":
    main()
