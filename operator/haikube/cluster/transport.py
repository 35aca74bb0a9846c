"""HTTP to one API server: sessions, time limits, retries, and refusals turned into errors.

A refusal about a Secret never repeats the server's words, which may quote what was sent.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from haikube.cluster.credentials import Credentials, Token
from haikube.cluster.errors import ApiError, TooManyRequests, Unreachable, from_status
from haikube.cluster.port import Json

CONNECTIONS = 200
CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 30.0
SILENCE_SECONDS = 120.0
"""A watch brings a bookmark every minute; a stream silent for longer is dead."""

HEARTBEAT_SECONDS = 20.0
"""A terminal may be silent for hours; its connection answers pings."""

MOST_TRIES = 4
LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.25

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
    the server would believe the certificate. And a thousand followed logs must not use up the
    connections of ordinary calls. So sessions are apart by both.
    """

    def __init__(self, credentials: Credentials, user_agent: str) -> None:
        self.credentials = credentials
        self._user_agent = user_agent
        self._opened: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    def get(self, *, bare: bool, endless: bool = False) -> aiohttp.ClientSession:
        """Return a session: ``bare`` without our certificate, ``endless`` for streams."""
        same = self.credentials.tls is self.credentials.bare_tls
        which = bare and not same, endless
        if which not in self._opened:
            self._opened[which] = self._open(*which)
        return self._opened[which]

    async def close(self) -> None:
        """Close all connections."""
        for session in self._opened.values():
            await session.close()
        self._opened.clear()

    def _open(self, bare: bool, endless: bool) -> aiohttp.ClientSession:  # noqa: FBT001 - private
        tls = self.credentials.bare_tls if bare else self.credentials.tls
        limit = 0 if endless else CONNECTIONS
        connector = aiohttp.TCPConnector(limit=limit, ssl=tls or True)
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS)
        headers = {"User-Agent": self._user_agent}
        jar = aiohttp.DummyCookieJar()  # an API server sets none, and looking for them costs
        return aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=headers, cookie_jar=jar
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
        async with self._open(request, None) as response:
            answer = await response.read()
        try:
            decoded: Json = json.loads(answer) if answer else {}
        except ValueError as error:
            told = f"{request.path} was answered with something that is not JSON"
            raise Unreachable(0, "Unreachable", told) from error
        return decoded

    @asynccontextmanager
    async def stream(
        self, request: Request, *, may_be_silent: bool = False
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Open an endless answer; silence raises ``Unreachable`` unless it is allowed."""
        silence = None if may_be_silent else SILENCE_SECONDS
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        async with self._open(request, limits) as response:
            yield response.content

    @asynccontextmanager
    async def socket(
        self, path: str, params: Sequence[tuple[str, str]], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket; a refusal raises what it would for any request."""
        session = self.sessions.get(bare=self._bare, endless=True)
        credentials = self.sessions.credentials
        try:
            async with session.ws_connect(
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
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            detail = f"{type(error).__name__} from {credentials.server} on {path}"
            raise Unreachable(0, "Unreachable", detail) from error

    @asynccontextmanager
    async def _open(
        self, request: Request, limits: aiohttp.ClientTimeout | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session = self.sessions.get(bare=self._bare, endless=limits is not None)
        credentials = self.sessions.credentials
        try:
            async with session.request(
                request.method,
                _url(credentials.server, request),
                data=None if request.body is None else json.dumps(request.body).encode(),
                headers=await self._headers(request),
                timeout=limits or aiohttp.helpers.sentinel,
                server_hostname=credentials.server_hostname,
                allow_redirects=False,
            ) as response:
                if response.status >= _FIRST_ERROR:
                    raise await _refusal(request, response)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            detail = f"{type(error).__name__} from {credentials.server} on {request.path}"
            raise Unreachable(0, "Unreachable", detail) from error

    async def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        token = await self._token()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _url(server: str, request: Request) -> URL:
    """Return where a request goes; its path is quoted already."""
    query = f"?{urlencode(request.params)}" if request.params else ""
    return URL(f"{server}{request.path}{query}", encoded=True)


def _is_worth_repeating(request: Request, error: ApiError) -> bool:
    """A 429 was never carried out; after a lost answer only an idempotent call may go again."""
    if isinstance(error, TooManyRequests):
        return True
    return request.again and (isinstance(error, Unreachable) or error.status in _UNAVAILABLE)


def _pause(error: ApiError, tries: int) -> float:
    """Return how long to wait: what the server asks for, or twice as long each time; jittered."""
    wanted = _FIRST_PAUSE * 2**tries if error.retry_after is None else error.retry_after
    return min(wanted, LONGEST_PAUSE) * random.uniform(1.0, 1.25)  # noqa: S311 - not a secret


async def _refusal(request: Request, response: aiohttp.ClientResponse) -> ApiError:
    status = await _read_status(response)
    reason = str(status.get("reason") or response.reason or "")
    message = str(status.get("message") or "")
    if request.secret:
        message = _discreet(request, status)
    return from_status(
        response.status, reason, message, retry_after=_seconds(response.headers.get("Retry-After"))
    )


async def _read_status(response: aiohttp.ClientResponse) -> Json:
    try:
        decoded = json.loads(await response.read())
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


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
