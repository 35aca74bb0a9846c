"""Talk to the platform's api: JSON, uploads and streams, with errors a person can act on.

Must never print a token.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import click

from haikube.bridge.profile import Login
from haikube.bridge.resolving import LocalhostResolver
from haikube.model.screen import clean

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)
_BAD_REQUEST = 400
_NOT_THERE = frozenset({404, 502, 503, 504})
"""What a gateway says in its own words while the api behind it is not up yet."""


class Platform:
    """The api as one logged-in caller sees it."""

    def __init__(self, session: aiohttp.ClientSession, login: Login) -> None:
        self._session = session
        self._login = login

    async def call(
        self, method: str, path: str, *, json: object = None, data: object = None
    ) -> dict[str, Any]:
        """Return the JSON answer of one request; a refusal ends the command with its message."""
        async with self._request(method, path, json=json, data=data) as response:
            answer = await response.json() if response.content_type.endswith("json") else {}
            return answer if isinstance(answer, dict) else {"items": answer}

    async def lines(self, path: str) -> AsyncIterator[str]:
        """Yield the lines of a text stream as they arrive, fit for a terminal."""
        async with self._request("GET", path) as response:
            async for line in response.content:
                yield clean(line.decode(errors="replace"))

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, *, json: object = None, data: object = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = path if path.startswith("http") else self._login.api + path
        headers = {} if path.startswith("http") else self._authorization()
        try:
            async with self._session.request(
                method, url, headers=headers, json=json, data=data
            ) as response:
                if response.status >= _BAD_REQUEST:
                    raise await self._refusal(response)
                yield response
        except aiohttp.ClientConnectionError as error:
            raise click.ClickException(
                f"{self._login.api} does not answer ({error}). Is the platform up? "
                "See: haikube local status"
            ) from error

    async def _refusal(self, response: aiohttp.ClientResponse) -> click.ClickException:
        if response.content_type.endswith("json"):
            body = await response.json()
            return click.ClickException(clean(str(body.get("message", body))))
        text = (await response.text())[:500].strip()
        said = f"{response.status} {response.reason}: {text}"
        if response.status in _NOT_THERE:
            said = (
                f"no api answers at {self._login.api} ({said}). If the platform is starting, "
                "wait a moment and try again; else look at the URL. See: haikube local status"
            )
        return click.ClickException(clean(said))

    def _authorization(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._login.token}",
            "Accept": "application/vnd.heroku+json; version=3",
        }


@asynccontextmanager
async def connect(login: Login) -> AsyncIterator[Platform]:
    """Open a connection pool to the platform of a login."""
    tls = ssl.create_default_context(cafile=login.ca_file or None)
    connector = aiohttp.TCPConnector(resolver=LocalhostResolver(), ssl=tls)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
        yield Platform(session, login)
