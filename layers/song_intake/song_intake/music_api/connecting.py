"""Connecting to the music API: name lookup, TCP and the TLS handshake, all within one deadline."""

import socket
import ssl
import threading
import time
from concurrent.futures import Future

from urllib3.util.connection import allowed_gai_family

from song_intake.domain.frozen import frozen
from song_intake.music_api.deadline import Deadline
from song_intake.music_api.tls_stream import TlsStream

# Long enough that a batch looks the name up once, and short enough to follow a change of the name's addresses.
FRESH_SECONDS = 5.0

_Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


@frozen
class _Found:
    addresses: list[_Address]
    # The wall clock: the monotonic clock stands still while Lambda has the process frozen.
    at: float

    def is_fresh(self) -> bool:
        return 0 <= time.time() - self.at < FRESH_SECONDS


class NameLookup:
    """The addresses of one name. Safe to share between threads.

    The system's lookup cannot be interrupted. It runs on a thread of its own, and each caller waits for as long as its
    deadline allows. All callers wait for the same lookup, so a lookup that hangs holds one thread and no more.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._lock = threading.Lock()
        self._lookup: Future[_Found] | None = None

    def addresses(self, deadline: Deadline) -> list[_Address]:
        """In the order in which they should be tried. Raises OSError, and TimeoutError at the deadline."""
        with self._lock:
            if self._lookup is None or not _is_usable(self._lookup):
                self._lookup = self._start()
            lookup = self._lookup
        return lookup.result(deadline.left()).addresses

    def forget(self) -> None:
        """Look the name up again for the next caller: none of its addresses answered."""
        with self._lock:
            if self._lookup is not None and self._lookup.done():
                self._lookup = None

    def _start(self) -> Future[_Found]:
        lookup: Future[_Found] = Future()
        threading.Thread(target=self._run, args=(lookup,), name="name-lookup", daemon=True).start()
        return lookup

    def _run(self, lookup: Future[_Found]) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, allowed_gai_family(), socket.SOCK_STREAM)
            lookup.set_result(_Found(list(found), time.time()))
        except Exception as failure:  # noqa: BLE001 - it belongs to the callers that wait
            lookup.set_exception(failure)


def _is_usable(lookup: Future[_Found]) -> bool:
    """Whether a caller may wait for this lookup, or use what it found."""
    return not lookup.done() or (lookup.exception() is None and lookup.result().is_fresh())


class Connector:
    """Opens TLS connections to one host. Safe to share between threads."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._names = NameLookup(host, port)
        # A name may end with a dot for the lookup; no certificate has that dot.
        self._server_hostname = host.rstrip(".")
        self._tls = tls

    def connect(self, seconds: float) -> TlsStream:
        """A connection with its handshake done, within `seconds` in all. Raises whatever it failed with."""
        deadline = Deadline(seconds)
        try:
            connected = connected_to_first(self._names.addresses(deadline), deadline)
        except OSError:
            self._names.forget()
            raise
        try:
            stream = TlsStream(connected, self._tls, self._server_hostname)
            stream.handshake(deadline)
        except BaseException:
            connected.close()
            raise
        return stream


def connected_to_first(addresses: list[_Address], deadline: Deadline) -> socket.socket:
    """A connection to the first address that accepts one. Raises OSError, that of the last address.

    Each address has an equal share of the time left, with one more share for the handshake, so that one address that
    does not answer leaves time for the others.
    """
    failure = OSError("the name has no address")
    for number, address in enumerate(addresses, start=1):
        left, after = deadline.left(), len(addresses) - number
        try:
            return _connected_to(address, left / (after + 2) if after else left)
        except OSError as error:
            failure = error
    raise failure


def _connected_to(address: _Address, seconds: float) -> socket.socket:
    family, kind, protocol, _, place = address
    connected = socket.socket(family, kind, protocol)
    try:
        connected.settimeout(seconds)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.connect(place)
    except BaseException:
        connected.close()
        raise
    return connected
