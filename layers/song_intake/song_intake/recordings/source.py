"""Where a recording may come from: an https link to a listed host, at a public address.

A link comes from the vendor's answer, and a redirect from whoever answered. Without these checks, either could point
the function at the inside of the owner's network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from song_intake.domain.link import usable_link

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_BITS = 0xFFFF_FFFF

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class SourceRefused(Exception):
    """The link is not followed, and never will be. The text says why, without the link."""


class Sources:
    """The hosts that recordings come from.

    hosts: names of hosts; one that begins with a dot stands for every name that ends with it.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        known = [host.strip().lower() for host in hosts]
        self._names = frozenset(host for host in known if host and not host.startswith("."))
        self._suffixes = tuple(host for host in known if len(host) > 1 and host.startswith("."))

    def check(self, link: str) -> str:
        """The host of the link. Raises SourceRefused."""
        if usable_link(link) is None:
            raise SourceRefused("the link is not https to the usual port of a host with a public name")
        host = urlsplit(link).hostname or ""
        if host not in self._names and not host.endswith(self._suffixes):
            raise SourceRefused(f"the host {host} is not one of RecordingHosts")
        return host

    def redirected(self, link: str, location: str) -> str:
        """The link that a redirect leads to. Raises SourceRefused."""
        try:
            target = urljoin(link, location)
            self.check(target)
        except SourceRefused as refused:
            raise SourceRefused(f"a redirect was not followed: {refused}") from None
        except ValueError:
            raise SourceRefused("a redirect was not followed: it leads to no link") from None
        return target


def require_public(addresses: Iterable[str]) -> None:
    """Raises SourceRefused if one of a name's addresses is not on the public internet."""
    for text in addresses:
        if not is_public(text):
            raise SourceRefused("the host's name leads to an address that is not public")


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet. Text that is no address is not."""
    try:
        address = _innermost(ipaddress.ip_address(text))
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _innermost(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, if it does: mapped, 6to4, Teredo or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
