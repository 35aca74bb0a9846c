"""Whether a request through the gateway gets the answer of a release: what "done" means.

The operator marks the route of an app with the release that all its web dynos run, once the last
older one has left. A gateway that adds the mark has read the list of dynos after that, too.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import aiohttp

from haikube.logs.request import LOOK
from haikube.model.route import CODE_HEADER, RELEASE_HEADER, marked_version

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_LONGEST: Final = 1 << 20
_UNREACHED: Final = "H99"
_UNAVAILABLE: Final = 503
_NO_DYNO: Final = b"no available server"  # a Traefik's own words, without our page


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
        try:
            found = await self._ask(session, host)
        except TimeoutError:
            return "an answer that takes long"
        except aiohttp.ClientError as error:
            return f"{self.address}: {error}"
        return f"release {found.mark} answers" if found.mark else ""

    async def _wrong(self, session: aiohttp.ClientSession, host: str, version: int) -> str:
        """Return what is wrong with one answer; a slow app takes its time, and is right."""
        try:
            found = await self._ask(session, host)
        except TimeoutError:
            return ""
        except aiohttp.ClientError as error:
            return f"{self.address}: {error}"
        if found.is_unreached():
            return "it knows no dyno"
        if marked_version(found.mark) >= version:
            return ""
        return f"status {found.status}, " + (
            f"of release {found.mark}" if found.mark else "of no release"
        )

    async def _ask(self, session: aiohttp.ClientSession, host: str) -> _Answer:
        """Ask as a visitor does.

        Never by HEAD: a server that sends a body all the same spoils the connection that the
        gateway uses for a visitor next.
        """
        headers = {"User-Agent": "Haikube", "X-Request-Id": f"{LOOK}{uuid.uuid4()}", "Host": host}
        async with session.get(self.address, headers=headers, allow_redirects=False) as answer:
            start = await _read(answer.content)
            mark, code = answer.headers.get(RELEASE_HEADER, ""), answer.headers.get(CODE_HEADER)
            return _Answer(answer.status, mark, code, start)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    mark: str
    code: str | None
    start: bytes

    def is_unreached(self) -> bool:
        """Tell whether the gateway had no dyno to ask."""
        own_words = self.status == _UNAVAILABLE and self.start.startswith(_NO_DYNO)
        return own_words or self.code == _UNREACHED


async def _read(body: aiohttp.StreamReader) -> bytes:
    """Return how a body begins; most are read to the end, for an app would see a visitor leave."""
    start, length = b"", 0
    with suppress(TimeoutError, aiohttp.ClientPayloadError):
        async for chunk in body.iter_any():
            start, length = start or chunk, length + len(chunk)
            if length > _LONGEST:
                break
    return start
