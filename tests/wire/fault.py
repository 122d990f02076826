"""What an entry of the catalogue is made of."""

import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from http.client import responses

from tests.wire.hostile_server import End, Handler, HostileServer, end


class Meaning(StrEnum):
    """What the client concludes of a create."""

    CREATED = "created"
    NOT_CREATED = "not created"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Payload:
    """What the server answers, before the fault. `means`: what the answer proves where it arrives whole."""

    name: str
    status: int
    content_type: str
    body: bytes
    means: Meaning

    @property
    def status_line(self) -> bytes:
        return f"HTTP/1.1 {self.status} {responses[self.status]}\r\n".encode()

    @property
    def type_line(self) -> bytes:
        return f"Content-Type: {self.content_type}\r\n".encode()

    def head(self, *lines: bytes) -> bytes:
        """A head with these header lines beside the type, and nothing about the length."""
        return self.status_line + self.type_line + b"".join(line + b"\r\n" for line in lines) + b"\r\n"

    def framed(self, *lines: bytes) -> bytes:
        """All of a faultless answer."""
        return self.head(b"Content-Length: %d" % len(self.body), *lines) + self.body


JSON = "application/json"
PAYLOADS = (
    Payload("task id", 200, JSON, b'{"code": 200, "task_id": "t-1", "message": "success"}', Meaning.CREATED),
    Payload(
        "vendor's refusal", 400, JSON, b'{"type": "validation_error", "error": "sound is wrong"}', Meaning.NOT_CREATED
    ),
    Payload("vendor's limit", 429, JSON, b'{"type": "rate_limited", "error": "too fast"}', Meaning.NOT_CREATED),
    Payload("gateway's page", 404, "text/html", b"<html><body>Not Found</body></html>", Meaning.NOT_CREATED),
)


class Allowed(Enum):
    """Which conclusion a fault leaves. Written down beside each fault, never computed by the code under test."""

    AS_ANSWERED = auto()
    """The whole answer arrived all the same."""
    TASK_ID_ALONE = auto()
    """The answer may be cut or misread: a task id in it counts, a refusal does not."""
    NOTHING = auto()
    """Whatever the server meant to answer, the outcome is unknown."""
    NOTHING_OR_AS_ANSWERED = auto()
    """Whether the answer arrives first is left to the network."""

    def meanings(self, payload: Payload) -> set[Meaning]:
        match self:
            case Allowed.AS_ANSWERED:
                return {payload.means}
            case Allowed.TASK_ID_ALONE:
                return {Meaning.CREATED if payload.means is Meaning.CREATED else Meaning.UNKNOWN}
            case Allowed.NOTHING:
                return {Meaning.UNKNOWN}
            case Allowed.NOTHING_OR_AS_ANSWERED:
                return {Meaning.UNKNOWN, payload.means}


class Reads(Enum):
    """How much of the request the server reads before it acts."""

    NOTHING = auto()
    REQUEST = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an answer can go wrong, after a faultless handshake.

    sends      the bytes that arrive at once, for one payload
    drips      the bytes after them, one every 50 ms
    outlasts   the client leaves at its deadline: nothing else ends the exchange
    is_large   it would fill the memory of a careless client
    """

    name: str
    allowed: Allowed
    sends: Callable[[Payload], Iterable[bytes]]
    ends: End = End.NOTIFY
    reads: Reads = Reads.REQUEST
    drips: Callable[[Payload], bytes] | None = None
    outlasts: bool = False
    is_large: bool = False

    def on(self, tls: ssl.SSLContext, payload: Payload) -> Handler:
        """A server's part in an exchange with this fault."""

        def handle(plain: socket.socket, server: HostileServer) -> None:
            with tls.wrap_socket(plain, server_side=True) as connection:
                if self.reads is Reads.REQUEST:
                    server.read_request(connection)
                for part in self.sends(payload):
                    connection.sendall(part)
                if self.drips:
                    server.drip(connection, self.drips(payload))
                end(connection, self.ends, server)

        return handle


def nothing(_payload: Payload) -> Iterable[bytes]:
    return ()


def faultless(payload: Payload) -> Iterable[bytes]:
    return (payload.framed(),)
