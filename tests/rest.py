"""Heroku's API as a client of it calls it: a method, a path, JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def message(self) -> str:
        return str(self.body["message"])


@dataclass
class Rest:
    session: aiohttp.ClientSession

    async def __call__(
        self, method: str, path: str, body: Any = None, status: int | None = None, **headers: str
    ) -> Answer:
        """Call; with ``status`` nothing else may come back."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, json=body, headers=sent) as answer:
            found = Answer(answer.status, await answer.json(), answer.headers)
        if status is not None:
            assert found.status == status, (method, path, found.body)
        return found

    async def get(self, path: str, status: int = 200, **headers: str) -> Any:
        return (await self("GET", path, None, status, **headers)).body

    async def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return (await self("POST", path, body, status)).body

    async def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return (await self("PATCH", path, body, status)).body

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        return (await self("PUT", path, body, status)).body

    async def delete(self, path: str, status: int = 200) -> Any:
        return (await self("DELETE", path, None, status)).body

    async def refused(self, method: str, path: str, body: Any = None) -> str:
        """Call what is not possible and return the message."""
        found = await self(method, path, body, 422)
        assert found.body["id"] == "invalid_params"
        return found.message
