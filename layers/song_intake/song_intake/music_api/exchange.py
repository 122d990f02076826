"""One request on an open connection, and its answer: how the bytes are read, and whether all of them arrived.

http.client is generous: it takes a cut head for a whole one, ignores a length that is no number, and reads past one
interim answer only. That is right for finding a task id, and wrong for a proof that no song was made. So each answer
comes with a judgement whether it is whole.
"""

import re
import zlib
from http.client import HTTPMessage, HTTPResponse, IncompleteRead
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection

from song_intake.domain.frozen import frozen
from song_intake.music_api.answer import Answer
from song_intake.music_api.deadline import Deadline
from song_intake.music_api.tls_stream import DeadlineSocket, StreamEnd, TlsStream

# More than any answer of the API, the songs of a finished task with their lyrics included. It must not fill the
# function's memory.
LARGEST_ANSWER_BYTES = 1024 * 1024

# For what the wire carries beside the body: the heads, interim answers, and the sizes of chunks.
_FRAMING_BYTES = 64 * 1024

CONTENT_LENGTH = re.compile(r"[0-9]{1,18}")
"""What counts as a length. http.client takes other numbers too, and ignores a number that is too long."""

# By what each content coding is undone: the number of zlib's window bits. No other coding is asked for or read.
_GZIP_BITS = 31
_ZLIB_BITS = 15
_RAW_DEFLATE_BITS = -15
_MOST_CODINGS = 2


@frozen
class Received:
    """An answer, and whether it is certain that nothing of it is missing or misread."""

    answer: Answer
    is_whole: bool


def exchange(
    stream: TlsStream, connection: HTTPSConnection, request: requests.PreparedRequest, deadline: float
) -> Received:
    """Send the request on the open stream and read its answer, within `deadline` seconds from now.

    Raises whatever the exchange broke off with.
    """
    connected = DeadlineSocket(stream, Deadline(deadline), LARGEST_ANSWER_BYTES + _FRAMING_BYTES)
    connection.sock = connected
    transport = _OpenConnection(connection)
    response = transport.send(request)
    if connected.end:
        raise IncompleteRead(b"")  # the stream ended within the head
    body = _body_of(response)
    head = transport.final_response
    body, is_decoded = _decoded(body, _values(head.headers, "Content-Encoding"))
    is_whole = is_decoded and _is_whole(head, connected.end)
    return Received(Answer(response.status_code, body, response.headers.get("Retry-After")), is_whole)


class _FinalResponse(HTTPResponse):
    """Reads past every interim answer (1xx). http.client itself reads past 100 only."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status <= 199:
            self.headers = self.msg = None  # type: ignore[assignment]  # begin() reads a head only where there is none
            super().begin()


class _OpenConnection(HTTPAdapter):
    """A transport adapter that sends on a connection opened beforehand.

    requests' own adapter connects and sends in one call, which hides from its caller whether anything was sent. Used
    without a Session, since a Session reads a redirect's body whole, however large, even when it is not to follow it.
    """

    final_response: _FinalResponse

    def __init__(self, connection: HTTPSConnection) -> None:
        super().__init__(pool_connections=0, pool_maxsize=0, max_retries=0)
        self._connection = connection
        connection.response_class = self._new_response  # type: ignore[assignment]  # a function makes one too

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self._connection.request(
            request.method or "POST",
            request.path_url,
            body=request.body,
            headers=request.headers,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, self._connection.getresponse())

    def _new_response(self, *arguments: Any, **options: Any) -> HTTPResponse:
        self.final_response = _FinalResponse(*arguments, **options)
        return self.final_response


def _body_of(response: requests.Response) -> bytes:
    """The body as it is on the wire. Raises where it is shorter than the head says, or larger than any answer."""
    body = b""
    while part := response.raw.read(LARGEST_ANSWER_BYTES + 1 - len(body), decode_content=False):
        body += part
        if len(body) > LARGEST_ANSWER_BYTES:
            raise ValueError("the answer is larger than any answer of the API")
    return body


def _is_whole(head: HTTPResponse, end: StreamEnd | None) -> bool:
    """Whether the framing proves that the body ended where the server ended it (RFC 9112, 6.3)."""
    codings, lengths = _values(head.headers, "Transfer-Encoding"), _values(head.headers, "Content-Length")
    if head.headers.defects:
        return False
    if codings:
        return codings == ["chunked"] and end is None
    if lengths:
        return len(set(lengths)) == 1 and CONTENT_LENGTH.fullmatch(lengths[0]) is not None
    return end is StreamEnd.CLOSED


def _values(headers: HTTPMessage, name: str) -> list[str]:
    """The members of a list header, in lower case."""
    return [value.strip().lower() for line in headers.get_all(name, []) for value in line.split(",")]


def _decoded(body: bytes, codings: list[str]) -> tuple[bytes, bool]:
    """The body with its content codings undone, as far as possible, and whether that is the whole body."""
    codings = [coding for coding in codings if coding not in ("", "identity")]
    is_whole = len(codings) <= _MOST_CODINGS
    for coding in reversed(codings[:_MOST_CODINGS]):
        bits = _window_bits(coding, body)
        if bits is None:
            return body, False
        inflater = zlib.decompressobj(bits)
        try:
            body = inflater.decompress(body, LARGEST_ANSWER_BYTES + 1)
        except zlib.error:
            return body, False
        if len(body) > LARGEST_ANSWER_BYTES:
            raise ValueError("the answer is larger than any answer of the API")
        is_whole &= inflater.eof and not inflater.unused_data
    return body, is_whole


def _window_bits(coding: str, body: bytes) -> int | None:
    if coding in ("gzip", "x-gzip"):
        return _GZIP_BITS
    if coding == "deflate":
        # Some servers leave out the zlib header that RFC 9110 (8.4.1.2) asks for.
        return (
            _ZLIB_BITS if body[:1] and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0 else _RAW_DEFLATE_BITS
        )
    return None
