"""Every name is this machine: what answers below ``localhost`` is not known to libc."""

from __future__ import annotations

import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult


class Loopback(AbstractResolver):
    """Resolves every name to 127.0.0.1, as browsers and curl do for names below localhost."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Close nothing."""


def connector() -> aiohttp.TCPConnector:
    """Return a connector for as many connections as a test wants."""
    return aiohttp.TCPConnector(resolver=Loopback(), limit=0)
