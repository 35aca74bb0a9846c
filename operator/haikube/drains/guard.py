"""Whom a drain may reach: the public internet, and what the site allows besides.

A URL is somebody's wish. Its name is resolved at each connection, and the connection goes to an
address that was looked at, so that no later answer of a name server leads into the cluster.
"""

from __future__ import annotations

import asyncio
import socket

from haikube.model.reach import Reach


class Forbidden(Exception):
    """The name leads to no address that may be reached."""


class Guard(Reach):
    """Resolves hosts to addresses that may be reached."""

    async def resolve(self, host: str, port: int) -> str:
        """Return an address of a host that may be reached; raises ``Forbidden`` or ``OSError``."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, place in found:
            if self.may(str(place[0])):
                return str(place[0])
        raise Forbidden(f"{host} leads to addresses that drains may not reach")
