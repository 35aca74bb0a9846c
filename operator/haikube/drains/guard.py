"""Whom a drain may reach: the public internet, and what the site allows besides.

A URL is somebody's wish. Its name is resolved at each connection, and the connection goes to an
address that was looked at, so that no later answer of a name server leads into the cluster.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Forbidden(Exception):
    """The name leads to no address that may be reached."""


class Guard:
    """``allowed`` are networks that are reached though they are private, as CIDRs."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = tuple(ipaddress.ip_network(each, strict=False) for each in allowed)

    def may(self, address: str) -> bool:
        """Tell whether an address may be reached.

        >>> [Guard().may(each) for each in ("192.0.2.7", "8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1")]
        [False, True, False, False]
        """
        found = ipaddress.ip_address(address.partition("%")[0])
        plain = getattr(found, "ipv4_mapped", None) or found
        if any(plain in network for network in self._allowed if network.version == plain.version):
            return True
        return plain.is_global and not plain.is_multicast

    async def resolve(self, host: str, port: int) -> str:
        """Return an address of a host that may be reached; raises ``Forbidden`` or ``OSError``."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, place in found:
            if self.may(str(place[0])):
                return str(place[0])
        raise Forbidden(f"{host} leads to addresses that drains may not reach")
