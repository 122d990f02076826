"""Addresses of this machine that refuse connections or never answer, and a resolver that knows them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

NAME = "music.example"

Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]


def at(host: str, port: int) -> Found:
    """One result of a lookup."""
    if ":" in host:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


@dataclass
class Resolver:
    """In the place of socket.getaddrinfo. Each lookup waits until `may_answer` is set."""

    found: list[Found] | Exception
    may_answer: threading.Event = field(default_factory=threading.Event)
    lookups: int = 0

    def __post_init__(self) -> None:
        self.may_answer.set()

    def __call__(self, *_: object, **__: object) -> list[Found]:
        self.lookups += 1
        self.may_answer.wait(30)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@contextmanager
def silent_port(host: str) -> Iterator[int]:
    """A port whose queue of connections is full: Linux drops what else arrives, so connecting never ends."""
    with ExitStack() as open_:
        listener = open_.enter_context(socket.create_server((host, 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(16):
            client = open_.enter_context(socket.socket())
            client.settimeout(0.05)
            try:
                client.connect((host, port))
            except TimeoutError:
                break
        else:
            raise AssertionError("the queue of connections is never full")
        yield port
