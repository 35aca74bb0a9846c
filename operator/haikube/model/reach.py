"""Which addresses somebody's URL may lead to: the public internet, and what the site allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4: Final = 0xFFFF_FFFF


class Reach:
    """``allowed`` are networks that are reached though they are private, as CIDRs."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = tuple(ipaddress.ip_network(each, strict=False) for each in allowed)

    def may(self, address: str) -> bool:
        """Tell whether an address may be reached; raises ``ValueError`` for a name.

        >>> [Reach().may(each) for each in ("192.0.2.7", "8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1")]
        [False, True, False, False]
        """
        plain = _plain(ipaddress.ip_address(address.partition("%")[0]))
        if any(plain in network for network in self._allowed if network.version == plain.version):
            return True
        return plain.is_global and not plain.is_multicast

    def is_barred(self, host: str) -> bool:
        """Tell whether a host is an address, or the name of this machine, that may not be reached.

        >>> [Reach().is_barred(each) for each in ("10.0.0.1", "localhost", "logs.example.com")]
        [True, True, False]
        """
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return not (self.may("127.0.0.1") or self.may("::1"))
        try:
            return not self.may(name)
        except ValueError:
            return False


def _plain(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one leads to, if it does."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4)
    return address.ipv4_mapped or address.sixtofour or address
