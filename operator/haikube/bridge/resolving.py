"""Names under ``.localhost`` mean this machine (RFC 6761), whatever the system resolver says.

Many resolvers do not know them.
"""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class LocalhostResolver(AbstractResolver):
    """Resolve ``*.localhost`` to the loopback address and ask the system for the rest."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        if not host.endswith(".localhost"):
            return await self._system.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Release the system resolver."""
        await self._system.close()
