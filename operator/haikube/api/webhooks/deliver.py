"""Calls hooks: signed, with a limit of time, again after a failure where the hook asks for it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from haikube.api.kernel.identity import made_id
from haikube.api.webhooks.kept import Delivery, Hook, Kept
from haikube.model.reach import Reach
from haikube.settings import Settings

_SECONDS: Final = 15.0
_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 3600.0
_ATTEMPTS: Final = {"notify": 1, "sync": 12}
"""How often a hook of each level is called at most."""

_GOOD: Final = range(200, 300)


class Forbidden(OSError):
    """An address inside the platform's own network."""


def require_public(host: str, settings: Settings) -> None:
    """Raise ``Forbidden`` for an address that a hook must not reach: it could be the platform's."""
    if not Reach(settings.webhook_networks).may(host):
        raise Forbidden(f"{host} is not a public address; see HAIKUBE_WEBHOOK_NETWORKS")


class _Public(AbstractResolver):
    """Resolves names to public addresses alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name."""
        found = await self._inner.resolve(host, port, family)
        for each in found:
            require_public(each["host"], self._settings)
        return found

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
        await self._inner.close()


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes deliveries; ``patience`` is the first wait after a failure, in seconds."""

    settings: Settings
    patience: float = _FIRST_WAIT

    async def deliver(self, kept: Kept, hook: Hook, delivery: Delivery, etag: str) -> None:
        """Call until it succeeds, or was tried often enough, or another process has it."""
        held: str | None = etag
        while held is not None:
            delivery.last_attempt = await self._attempt(hook, delivery)
            delivery.attempts += 1
            wait = self._next(delivery)
            held = await kept.note(delivery, held)
            if wait is None:
                return
            await asyncio.sleep(wait)

    def _next(self, delivery: Delivery) -> float | None:
        """Note in a delivery how it goes on; return the wait in seconds, None at its end."""
        now = datetime.now(UTC)
        delivery.updated_at = _time(now)
        delivery.next_attempt_at = None
        if (delivery.last_attempt or {}).get("status") == "succeeded":
            delivery.status = "succeeded"
            return None
        if delivery.attempts >= _ATTEMPTS.get(delivery.level, 1):
            delivery.status = "failed"
            return None
        wait = min(_LONGEST_WAIT, self.patience * 2.0 ** (delivery.attempts - 1))
        delivery.status = "retrying"
        delivery.next_attempt_at = _time(now + timedelta(seconds=wait))
        return wait

    async def _attempt(self, hook: Hook, delivery: Delivery) -> dict[str, Any]:
        began = _time(datetime.now(UTC))
        code, error = None, None
        try:
            code = await self._call(hook, delivery)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
            error = type(problem).__name__
        good = code in _GOOD if code is not None else False
        return {
            "id": made_id("attempt", f"{delivery.id}/{delivery.attempts}"),
            "code": code,
            "error_class": error or (None if good else "HTTPError"),
            "status": "succeeded" if good else "failed",
            "created_at": began,
            "updated_at": _time(datetime.now(UTC)),
        }

    async def _call(self, hook: Hook, delivery: Delivery) -> int:
        body = json.dumps(delivery.payload).encode()
        host = urlsplit(hook.url).hostname or ""
        if _is_address(host):
            require_public(host, self.settings)
        connector = aiohttp.TCPConnector(resolver=_Public(self.settings), force_close=True)
        limit = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as session,
            session.post(
                hook.url, data=body, headers=_headers(hook, body), allow_redirects=False
            ) as answer,
        ):
            return answer.status


def signature(secret: str, body: bytes) -> str:
    """Return what a receiver compares: who made the body knows the secret."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def _headers(hook: Hook, body: bytes) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Heroku-Webhooks",
        "Heroku-Webhook-Hmac-SHA256": signature(hook.secret, body),
    }
    return headers | ({"Authorization": hook.authorization} if hook.authorization else {})


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
