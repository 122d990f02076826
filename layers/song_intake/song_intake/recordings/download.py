"""Opens a link for reading: a checked address, TLS to the link's host, redirects by hand, all by one deadline.

The request has no credentials: no token, no cookie, no referrer. urllib3 speaks HTTP on a connection that is opened
here, because its own connections look the name up again, after the check.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from song_intake.music_api.connecting import NameLookup, connected_to_first
from song_intake.music_api.deadline import Deadline
from song_intake.music_api.exchange import CONTENT_LENGTH
from song_intake.music_api.tls_stream import DeadlineSocket, StreamEnd, TlsStream
from song_intake.recordings.source import SourceRefused, Sources, require_public

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

MOST_REDIRECTS = 3
"""Our choice: a storage behind a CDN needs one."""

_HTTPS_PORT = 443
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_OK = 200
# For what the wire carries beside the body: the head, and the sizes of chunks.
_FRAMING_BYTES = 1024 * 1024
_HEADERS = {"Accept": "audio/*", "Accept-Encoding": "identity", "User-Agent": "song-intake"}


class HostFailed(Exception):
    """The host was not reached, or did not serve: it concerns all its recordings. The text says how."""

    def __init__(self, text: str, retry_after: str | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """As the host gave it."""


class NoRecording(Exception):
    """The host answered, but not with this recording, or not with the whole of it. The text says how."""


class Download:
    """The body of one answer, read once. Every read ends by the deadline."""

    def __init__(self, response: BaseHTTPResponse, connected: DeadlineSocket) -> None:
        self._response = response
        self._connected = connected
        announced = response.headers.get("Content-Length", "")
        self.length = int(announced) if CONTENT_LENGTH.fullmatch(announced) else None
        """The length that the host announced, in bytes; None: it announced none."""
        # Without a length, only TLS's own end tells a whole body from a cut one. http.client reads on to it.
        self._is_ended_by_the_stream = self.length is None and not response.chunked

    def read(self, amount: int) -> bytes:
        """The next bytes, `amount` of them but at the end. Raises NoRecording for a body that is cut, or HostFailed."""
        try:
            received = self._response.read(amount)
        except (ReadTimeoutError, TimeoutError) as failure:
            raise HostFailed("the body did not arrive in time") from failure
        except (HTTPError, OSError, ValueError) as failure:
            raise NoRecording("the body was cut, or shorter than announced") from failure
        if len(received) < amount and self._is_ended_by_the_stream and self._connected.end is not StreamEnd.CLOSED:
            raise NoRecording("the body was cut")
        return received


@contextmanager
def opened(link: str, sources: Sources, tls: ssl.SSLContext, deadline: Deadline, most_bytes: int) -> Iterator[Download]:
    """The answer to a GET of the link. Raises SourceRefused, HostFailed, or NoRecording.

    most_bytes: of the body; a host that sends more fails.
    """
    for _ in range(MOST_REDIRECTS + 1):
        host = sources.check(link)
        with _connected(host, tls, deadline) as stream:
            connected = DeadlineSocket(stream, deadline, most_bytes + _FRAMING_BYTES)
            with closing(_answer(connected, host, link)) as response:
                if response.status in _REDIRECTS:
                    link = sources.redirected(link, response.headers.get("Location", ""))
                    continue
                _require_a_body(response)
                yield Download(response, connected)
                return
    raise SourceRefused(f"more than {MOST_REDIRECTS} redirects")


@contextmanager
def _connected(host: str, tls: ssl.SSLContext, deadline: Deadline) -> Iterator[TlsStream]:
    try:
        addresses = NameLookup(host, _HTTPS_PORT).addresses(deadline)
        require_public(str(address[4][0]) for address in addresses)
        connected = connected_to_first(addresses, deadline)
    except OSError as failure:
        raise HostFailed(f"{host} was not reached ({type(failure).__name__})") from failure
    try:
        stream = TlsStream(connected, tls, host)
        stream.handshake(deadline)
    except OSError as failure:
        connected.close()
        raise HostFailed(f"{host} was not reached ({type(failure).__name__})") from failure
    try:
        yield stream
    finally:
        stream.close()


def _answer(connected: DeadlineSocket, host: str, link: str) -> BaseHTTPResponse:
    url = urlsplit(link)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = HTTPSConnection(host)
    connection.sock = connected
    try:
        connection.request("GET", target, headers=_HEADERS, preload_content=False, decode_content=False)
        return connection.getresponse()
    except (HTTPError, HTTPException, OSError, ValueError) as failure:
        raise HostFailed(f"{host} did not answer ({type(failure).__name__})") from failure


def _require_a_body(response: BaseHTTPResponse) -> None:
    retry_after = response.headers.get("Retry-After")
    if response.status == 429 or response.status >= 500:
        raise HostFailed(f"the host answered HTTP {response.status}", retry_after)
    if response.status != _OK:
        raise NoRecording(f"the host answered HTTP {response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NoRecording("the body has a content coding that was not asked for")
