"""Whether a request through the gateway gets the answer of a release: what "done" means.

The operator marks the route of an app with the release that all its web dynos run, once the last
older one has left. A gateway that adds the mark has read the list of dynos after that, too.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

import aiohttp

from haikube.logs.request import LOOK
from haikube.model.route import RELEASE_HEADER, marked_version

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_NO_DYNO: Final = b"no available server"  # Traefik's own words
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the gateway is asked, and how: ``times`` in a row, for it has replicas.

    ``seconds`` is how long it may take to know a release, ``pause`` the time between two tries.
    """

    address: str
    seconds: float = 20.0
    pause: float = 0.05
    times: int = 3

    async def problem(self, host: str, version: int) -> str:
        """Return "" once requests for ``host`` are answered by a release, else what is wrong."""
        return await self._until(lambda session: self._wrong(session, host, version))

    async def closed_problem(self, host: str) -> str:
        """Return "" once no release answers requests for ``host``, else which one does."""
        return await self._until(lambda session: self._still(session, host))

    async def _until(self, look: Callable[[aiohttp.ClientSession], Awaitable[str]]) -> str:
        end, right = monotonic() + self.seconds, 0
        connector = aiohttp.TCPConnector(force_close=True, limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
            while True:
                wrong = await look(session)
                right = 0 if wrong else right + 1
                if right == self.times:
                    return ""
                if wrong and monotonic() > end:
                    return f"the gateway does not answer with it: {wrong}"
                await asyncio.sleep(self.pause)

    async def _still(self, session: aiohttp.ClientSession, host: str) -> str:
        headers = {"User-Agent": "Haikube", "X-Request-Id": f"{LOOK}{uuid.uuid4()}", "Host": host}
        try:
            async with session.head(self.address, headers=headers, allow_redirects=False) as answer:
                mark = answer.headers.get(RELEASE_HEADER, "")
        except TimeoutError:
            return "an answer that takes long"
        except aiohttp.ClientError as error:
            return f"{self.address}: {error}"
        return f"release {mark} answers" if mark else ""

    async def _wrong(self, session: aiohttp.ClientSession, host: str, version: int) -> str:
        """Return what is wrong with one answer; a slow app takes its time, and is right."""
        headers = {"User-Agent": "Haikube", "X-Request-Id": f"{LOOK}{uuid.uuid4()}", "Host": host}
        try:
            async with session.head(self.address, headers=headers, allow_redirects=False) as answer:
                mark = answer.headers.get(RELEASE_HEADER, "")
                status = answer.status
            if status == _UNAVAILABLE and await self._has_no_dyno(session, headers):
                return "it knows no dyno"
        except TimeoutError:
            return ""
        except aiohttp.ClientError as error:
            return f"{self.address}: {error}"
        if marked_version(mark) >= version:
            return ""
        return f"status {status}, " + (f"of release {mark}" if mark else "of no release")

    async def _has_no_dyno(self, session: aiohttp.ClientSession, headers: dict[str, str]) -> bool:
        async with session.get(self.address, headers=headers, allow_redirects=False) as answer:
            return (await answer.content.read(len(_NO_DYNO))) == _NO_DYNO
