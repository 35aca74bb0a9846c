"""HTTP to one API server: sessions, time limits, retries, and refusals turned into errors.

A refusal about a Secret never repeats the server's words, which may quote what was sent.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from haikube.cluster.credentials import Credentials, Token
from haikube.cluster.errors import (
    ApiError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    from_status,
)
from haikube.cluster.port import Json
from haikube.cluster.text import decoded, encoded
from haikube.cluster.wire import CONNECT_SECONDS, Answer, Wire

CONNECTIONS = 200
REQUEST_SECONDS = 30.0
SILENCE_SECONDS = 120.0
"""A watch brings a bookmark every minute; a stream silent for longer is dead."""

HEARTBEAT_SECONDS = 20.0
"""A terminal may be silent for hours; its connection answers pings."""

MOST_TRIES = 4
LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.25

_IDEMPOTENT = frozenset({"GET", "DELETE"})
"""What may go over another connection at once when the one that was kept proves closed."""

_UNAVAILABLE = frozenset({502, 503, 504})
_FIRST_ERROR = 300
"""A redirection is an error too: our token goes to the server we know and to no other."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call; ``again`` allows to repeat it when it is unknown whether the server did it."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    again: bool = False
    secret: bool = False


class Sessions:
    """The connections to one server, opened when first used.

    A caller's token must never travel on a connection that also shows our client certificate:
    the server would believe the certificate. So connections are apart by that. What lasts (watches,
    logs, terminals) has connections of its own: a thousand of them must not use up those of calls.
    """

    def __init__(self, credentials: Credentials, user_agent: str) -> None:
        self.credentials = credentials
        self._user_agent = user_agent
        self._wires: dict[bool, Wire] = {}
        self._streams: dict[bool, aiohttp.ClientSession] = {}

    def wire(self, *, bare: bool) -> Wire:
        """Return what carries calls; ``bare`` without our certificate."""
        bare = self._is_bare(bare)
        if bare not in self._wires:
            who = self.credentials
            tls = who.bare_tls if bare else who.tls
            self._wires[bare] = Wire(who.server, tls, who.server_hostname, limit=CONNECTIONS)
        return self._wires[bare]

    def stream(self, *, bare: bool) -> aiohttp.ClientSession:
        """Return what carries streams; ``bare`` without our certificate."""
        bare = self._is_bare(bare)
        if bare not in self._streams:
            self._streams[bare] = self._open(bare=bare)
        return self._streams[bare]

    def head(self, request: Request, headers: Mapping[str, str]) -> str:
        """Return all that is sent before the body, but for the end of it."""
        wire = self.wire(bare=False)
        lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
        return (
            f"{request.method} {wire.prefix}{_target(request)} HTTP/1.1\r\nHost: {wire.authority}"
            f"\r\nUser-Agent: {self._user_agent}\r\nAccept-Encoding: gzip, deflate{lines}"
        )

    async def close(self) -> None:
        """Close all connections."""
        for wire in self._wires.values():
            wire.close()
        for session in self._streams.values():
            await session.close()
        self._wires.clear()
        self._streams.clear()

    def _is_bare(self, bare: bool) -> bool:  # noqa: FBT001 - private
        return bare and self.credentials.tls is not self.credentials.bare_tls

    def _open(self, *, bare: bool) -> aiohttp.ClientSession:
        tls = self.credentials.bare_tls if bare else self.credentials.tls
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls or True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": self._user_agent},
            cookie_jar=aiohttp.DummyCookieJar(),
        )


class Transport:
    """Sends requests as one identity."""

    def __init__(self, sessions: Sessions, token: Token, *, bare: bool) -> None:
        self.sessions = sessions
        self._token = token
        self._bare = bare

    async def call(self, request: Request) -> Json:
        """Send a request, again if that is safe and may help; returns the decoded answer."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(request)
            except ApiError as error:
                if tries >= MOST_TRIES or not _is_worth_repeating(request, error):
                    raise
                pause = _pause(error, tries)
            await asyncio.sleep(pause)

    async def _once(self, request: Request) -> Json:
        body = b"" if request.body is None else encoded(request.body)
        head = self.sessions.head(request, await self._headers(request))
        whole = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        with self._reaching(request.path):
            wire = self.sessions.wire(bare=self._bare)
            again = request.method in _IDEMPOTENT
            answer = await wire.call(whole, again=again, seconds=REQUEST_SECONDS)
        if answer.status >= _FIRST_ERROR:
            raise _refusal(request, answer)
        try:
            found: Json = decoded(answer.body) if answer.body else {}
        except ValueError as error:
            told = f"{request.path} was answered with something that is not JSON"
            raise Unreachable(0, "Unreachable", told) from error
        return found

    @asynccontextmanager
    async def stream(
        self, request: Request, *, may_be_silent: bool = False
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Open an endless answer; silence raises ``Unreachable`` unless it is allowed."""
        silence = None if may_be_silent else SILENCE_SECONDS
        credentials = self.sessions.credentials
        with self._reaching(request.path):
            async with self.sessions.stream(bare=self._bare).get(
                URL(credentials.server + _target(request), encoded=True),
                headers=await self._headers(request),
                timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence),
                server_hostname=credentials.server_hostname,
                allow_redirects=False,
            ) as response:
                if response.status >= _FIRST_ERROR:
                    raise _refusal(request, await _answer(response))
                yield response.content

    @asynccontextmanager
    async def socket(
        self, path: str, params: Sequence[tuple[str, str]], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket; a refusal raises what it would for any request."""
        credentials = self.sessions.credentials
        try:
            with self._reaching(path):
                async with self.sessions.stream(bare=self._bare).ws_connect(
                    credentials.server + path,
                    params=params,
                    protocols=(protocol,),
                    headers=await self._headers(Request("GET", path)),
                    server_hostname=credentials.server_hostname,
                    heartbeat=HEARTBEAT_SECONDS,
                    max_msg_size=0,
                ) as socket:
                    yield socket
        except aiohttp.WSServerHandshakeError as error:
            raise from_status(error.status, error.message, f"{path}: {error.message}") from error

    @contextmanager
    def _reaching(self, path: str) -> Iterator[None]:
        try:
            yield
        except aiohttp.WSServerHandshakeError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            detail = f"{type(error).__name__} from {self.sessions.credentials.server} on {path}"
            raise Unreachable(0, "Unreachable", detail) from error

    async def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        token = await self._token()
        if not (token.isascii() and token.isprintable()):
            raise Unauthorized(401, "Unauthorized", "the token holds what no token can")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _target(request: Request) -> str:
    """Return where a request goes on its server; its path is quoted already."""
    query = _query(tuple(request.params.items()))
    return f"{request.path}?{query}" if query else request.path


@lru_cache(64)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    return urlencode(params)


def _is_worth_repeating(request: Request, error: ApiError) -> bool:
    """A 429 was never carried out; after a lost answer only an idempotent call may go again."""
    if isinstance(error, TooManyRequests):
        return True
    return request.again and (isinstance(error, Unreachable) or error.status in _UNAVAILABLE)


def _pause(error: ApiError, tries: int) -> float:
    """Return how long to wait: what the server asks for, or twice as long each time; jittered."""
    wanted = _FIRST_PAUSE * 2**tries if error.retry_after is None else error.retry_after
    return min(wanted, LONGEST_PAUSE) * random.uniform(1.0, 1.25)  # noqa: S311 - not a secret


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    """Return what a stream was refused with, as a call has it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, response.reason or "", headers, await response.read())


def _refusal(request: Request, answer: Answer) -> ApiError:
    status = _status(answer.body)
    reason = str(status.get("reason") or answer.reason)
    message = str(status.get("message") or "")
    if request.secret:
        message = _discreet(request, status)
    pause = _seconds(answer.headers.get("retry-after"))
    return from_status(answer.status, reason, message, retry_after=pause)


def _status(body: bytes) -> Json:
    try:
        found = decoded(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_TELLS_NOTHING: Final = re.compile(
    r"is forbidden: (User |exceeded quota: |ValidatingAdmissionPolicy 'haikube-)"
)
"""Why a Secret may be refused without a word of what is in it: rights, quotas, our own policies."""


def _discreet(request: Request, status: Json) -> str:
    """Return why a request with secrets was refused; the server may repeat what was sent."""
    said = str(status.get("message") or "")
    if _TELLS_NOTHING.search(said):
        return said
    causes = (status.get("details") or {}).get("causes") or ()
    fields = ", ".join(str(cause.get("field", "")) for cause in causes)
    return f"{request.method} {request.path} was refused" + (f" because of {fields}" * bool(fields))


def _seconds(value: str | None) -> float | None:
    return float(value) if value and value.isdigit() else None
