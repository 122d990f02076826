"""Names that lead to public addresses, and those addresses to ports of this machine, as a network does it.

Patched into the process: socket.getaddrinfo knows the names, and socket.connect the way to each address.
"""

import socket
from collections.abc import Callable, Mapping
from typing import Any

# Public addresses of nobody that a test would reach: they are never connected to.
FIRST_ADDRESS = "45.45.0."

ROUTES = "SONG_INTAKE_LOCAL_ROUTES"
"""The variable of the local cloud's own environment, which its functions inherit. The template cannot set it: only the
local cloud's start of a function reads it (frozen_runtime.py), and no code of the functions.
"""

_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]


class Network:
    """routes: the port of this machine that serves each name; `addresses`: other addresses of a name than its own."""

    def __init__(self, routes: Mapping[str, int], addresses: Mapping[str, list[str]] | None = None) -> None:
        self._addresses = {name: [f"{FIRST_ADDRESS}{number}"] for number, name in enumerate(routes, 1)}
        self._ports = {self._addresses[name][0]: port for name, port in routes.items()}
        self._addresses.update(addresses or {})
        self._lookup = socket.getaddrinfo
        self._connect = socket.socket.connect

    def getaddrinfo(self, host: Any, port: Any, *arguments: Any, **named: Any) -> list[Any]:
        """In the place of socket.getaddrinfo."""
        if host not in self._addresses:
            return list(self._lookup(host, port, *arguments, **named))
        return [_found(address, port) for address in self._addresses[host]]

    def connect(self, connected: socket.socket, address: Any) -> None:
        """In the place of socket.socket.connect."""
        local = self._ports.get(address[0]) if isinstance(address, tuple) else None
        self._connect(connected, address if local is None else ("127.0.0.1", local))

    def patch(self) -> None:
        """For the rest of this process."""
        socket.getaddrinfo = self.getaddrinfo
        socket.socket.connect = self.method  # type: ignore[assignment,method-assign]

    @property
    def method(self) -> Callable[[socket.socket, Any], None]:
        """`connect` as a method of a socket."""

        def connect(connected: socket.socket, address: Any) -> None:
            self.connect(connected, address)

        return connect


def patch_from(environment: Mapping[str, str]) -> None:
    """Route the names that the environment lists, as `name=port,...`, for the rest of this process."""
    if listed := environment.get(ROUTES):
        Network({name: int(port) for name, port in (one.split("=") for one in listed.split(","))}).patch()


def _found(address: str, port: int) -> _Found:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
