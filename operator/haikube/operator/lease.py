"""The lead, kept by a thread of its own: no pass, however long, delays a renewal.

The thread has its own event loop and its own connection to the API server. The elector is asked
from other threads only whether it leads, which is one comparison of moments.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any

from haikube.cluster.port import Cluster
from haikube.engine.clock import SystemClock
from haikube.engine.elector import Elector

Connect = Callable[[], AbstractAsyncContextManager[Cluster]]

_NAME = "haikube-operator"


class LeaseThread:
    """One candidate for the lead; ``lost`` is called in the thread when a lead is lost."""

    def __init__(
        self,
        connect: Connect,
        namespace: str,
        identity: str,
        *,
        seconds: float,
        lost: Callable[[], Any],
    ) -> None:
        self._connect = connect
        self._namespace = namespace
        self._identity = identity
        self._seconds = seconds
        self._lost = lost
        self._elector: Elector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._acquired: Future[None] = Future()
        self._ended: Future[None] = Future()

    @property
    def leading(self) -> bool:
        """Return whether we lead, as far as our own clock can tell."""
        return self._elector is not None and self._elector.leading

    async def acquire(self) -> None:
        """Wait until we lead."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, args=(self._loop,), name="lease", daemon=True).start()
        await asyncio.wrap_future(self._acquired)

    async def release(self) -> None:
        """Give the lead up, if we have it, and end the thread."""
        if self._loop is None or self._ended.done():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.wrap_future(self._ended)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(self._work())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, in the other thread
            if not self._acquired.done():
                self._acquired.set_exception(error)
        finally:
            self._ended.set_result(None)

    async def _work(self) -> None:
        async with self._connect() as cluster:
            self._elector = Elector(
                cluster,
                _NAME,
                self._namespace,
                self._identity,
                SystemClock(),
                seconds=self._seconds,
            )
            leading = asyncio.create_task(self._lead(self._elector))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if leading.done():
                leading.result()
            leading.cancel()
            await self._elector.release()

    async def _lead(self, elector: Elector) -> None:
        await elector.acquire()
        if not self._acquired.cancelled():
            self._acquired.set_result(None)
        await elector.keep()
        self._lost()
