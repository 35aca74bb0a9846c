"""HTTP through the bridge: the caller's key is taken off, the person's real token put on.

Bodies stream both ways as they come. Must never send the token for a request that did not show the
key, nor to any host but the platform's api.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from haikube import __version__
from haikube.bridge.guard import require_local, shows_key
from haikube.bridge.key import new_key, proof
from haikube.bridge.profile import Login, LoginError, save
from haikube.bridge.refusals import Refusal, answer
from haikube.bridge.tokens import Tokens, words
from haikube.bridge.upstream import Upstream
from haikube.cluster.errors import ApiError

STATUS_PATH: Final = "/.haikube/bridge"
_ENDS_HERE: Final = frozenset(
    {
        *("authorization", "connection", "content-length", "cookie", "expect", "haikube-bridge"),
        *("host", "keep-alive", "origin", "proxy-authorization", "proxy-connection", "referer"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_OWN: Final = frozenset({"connection", "keep-alive", "set-cookie", "transfer-encoding", "upgrade"})
_PAUSES: Final = (0.5, 1.5)
"""Between tries to reach the platform, in seconds: a network that just came back needs them."""
_RECONNECT_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
_READING: Final = frozenset({"GET", "HEAD"})
_PERHAPS: Final = frozenset({502, 504})
_NOBODY: Final = frozenset({503}) | _PERHAPS
"""What gateways say when the api is not there, or has gone while it worked."""

_SMALL: Final = 64 << 10
_EVENTS: Final = "text/event-stream"
_log = structlog.get_logger(__name__)


class Relay:
    """Answers one request after the other."""

    def __init__(self, tokens: Tokens, upstream: Callable[[Login], Upstream], profile: str) -> None:
        self._tokens = tokens
        self._upstream = upstream
        self._profile = profile

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of a client of this machine."""
        try:
            return await self._answer(request)
        except Refusal as refusal:
            return answer(request.path, refusal)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        login = await self._login()
        require_local(request.headers, login.port)
        if request.path == STATUS_PATH:
            return self._status(request, login)
        token = login.token if shows_key(request.headers, request.raw_path, login.key) else ""
        if (request.method, request.path) == ("POST", "/auth"):
            raise Refusal(403, "Log in with the command: haikube login")
        if (request.method, request.path) == ("DELETE", "/oauth/sessions/~") and token:
            return self._forget_key(login)
        return await self._pass_on(request, login, token)

    async def _login(self) -> Login:
        try:
            return await self._tokens.current()
        except LoginError as error:
            raise Refusal(403, f"Haikube: {error}") from error
        except (ApiError, OSError) as error:
            raise Refusal(503, f"Haikube: {words(error)}") from error

    def _status(self, request: web.BaseRequest, login: Login) -> web.Response:
        """Say who is here; the nonce's answer proves it to whoever knows the key."""
        body = {
            "profile": self._profile,
            "api": login.api,
            "version": __version__,
            "pid": os.getpid(),
            "proof": proof(login.key, request.query.get("nonce", "")),
        }
        return web.json_response(body)

    def _forget_key(self, login: Login) -> web.Response:
        """End the session of ``heroku logout``: the key that it drops opens nothing any more."""
        save(self._profile, replace(login, key=new_key()))
        return web.json_response({})

    async def _pass_on(
        self, request: web.BaseRequest, login: Login, token: str
    ) -> web.StreamResponse:
        session = self._upstream(login).session()
        if request.headers.get("Expect", "").lower() == "100-continue":
            await _go_on(request)
        asked = await _ask(session, request, login, token)
        try:
            if asked.status == web.HTTPUnauthorized.status_code:
                raise Refusal(403, _unwelcome(login, token))
            return await _give_back(request, asked, login)
        finally:
            asked.close()


async def _go_on(request: web.BaseRequest) -> None:
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


def _unwelcome(login: Login, token: str) -> str:
    if token:
        return (
            f"{login.api} no longer takes this login: it expired or was revoked. Run: haikube login"
        )
    return "Not logged in, or the link has expired. Run: haikube login"


async def _ask(
    session: aiohttp.ClientSession, request: web.BaseRequest, login: Login, token: str
) -> aiohttp.ClientResponse:
    """Send the request on; what could not be sent at all, or found no api, is tried again."""
    url = URL(f"{login.api}{_target(request)}", encoded=True)
    body = await _body(request)
    for pause in (*_pauses(request), None):
        try:
            asked = await session.request(
                request.method,
                url,
                headers=_headers(request, token),
                data=body,
                allow_redirects=False,
            )
            if not _found_nobody(asked):
                return asked
            asked.close()
            if pause is None or isinstance(body, aiohttp.StreamReader):
                raise Refusal(503, _away(login, f"its gateway says {asked.status}"))
            await asyncio.sleep(pause)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            did_nothing = isinstance(error, aiohttp.ClientConnectorError)
            if pause is None or not (did_nothing or request.method in _READING):
                raise Refusal(503, _away(login, error)) from error
            await asyncio.sleep(pause)
    raise AssertionError("the last try returns or raises")


async def _body(request: web.BaseRequest) -> bytes | aiohttp.StreamReader | None:
    """Return what is sent on: a small body whole, so that it can be sent again."""
    if not request.can_read_body:
        return None
    length = request.content_length
    small = length is not None and length <= _SMALL
    return await request.read() if small else request.content


def _pauses(request: web.BaseRequest) -> tuple[float, ...]:
    """Return how long to wait between tries: a stream that comes back is worth more of it."""
    return _RECONNECT_PAUSES if "Last-Event-ID" in request.headers else _PAUSES


def _found_nobody(asked: aiohttp.ClientResponse) -> bool:
    """Tell whether a gateway answered because no api was there: the api names its answers."""
    again = _NOBODY if asked.method in _READING else _NOBODY - _PERHAPS
    return asked.status in again and "Request-Id" not in asked.headers


def _away(login: Login, error: Exception | str) -> str:
    said = str(error) or type(error).__name__
    return f"{login.api} does not answer ({said}). Is the platform up? See: haikube doctor"


def _target(request: web.BaseRequest) -> str:
    """Return path and query as they were sent, so that no escape changes its meaning."""
    if not request.raw_path.startswith("/"):
        raise Refusal(421, "The bridge is no proxy: send it a path.")
    return request.raw_path


def _headers(request: web.BaseRequest, token: str) -> CIMultiDict[str]:
    headers = CIMultiDict(
        (name, value) for name, value in request.headers.items() if name.lower() not in _ENDS_HERE
    )
    if length := request.headers.get("Content-Length"):
        headers["Content-Length"] = length
    headers["Haikube-Bridge"] = f"http://{request.headers['Host']}"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers


async def _give_back(
    request: web.BaseRequest, asked: aiohttp.ClientResponse, login: Login
) -> web.StreamResponse:
    response = web.StreamResponse(status=asked.status, reason=asked.reason)
    for name, value in asked.headers.items():
        if name.lower() not in _OWN:
            response.headers.add(name, value)
    _lead_back(request, response, login)
    await response.prepare(request)
    try:
        async for chunk in asked.content.iter_any():
            await response.write(chunk)
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError) as error:
        _log.warning("stream broken", path=request.path, error=str(error))
        if asked.content_type != _EVENTS:  # readers of events come back after a clean end
            _break_off(request)
    await response.write_eof()
    return response


def _break_off(request: web.BaseRequest) -> None:
    """Let the client see that its answer is not whole."""
    if request.transport is not None:
        request.transport.abort()


def _lead_back(request: web.BaseRequest, response: web.StreamResponse, login: Login) -> None:
    """Make a redirect to the platform's api one to the bridge."""
    location = response.headers.get("Location", "")
    if location.startswith(f"{login.api}/"):
        scheme = "https" if request.secure else "http"
        path = location.removeprefix(login.api)
        response.headers["Location"] = f"{scheme}://{request.headers['Host']}{path}"
