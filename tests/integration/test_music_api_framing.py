"""Whatever bytes a server may answer with: what is not a whole answer leaves the create unknown."""

import gzip
import itertools
import ssl
from collections.abc import Callable, Iterable

import pytest
import trustme

from song_intake.domain.outcome import Created, Unknown
from song_intake.music_api.exchange import LARGEST_ANSWER_BYTES
from tests.integration.creating import create, trusting
from tests.integration.raw_tls_server import HOST, serving


def _endless(part: bytes) -> Callable[[], Iterable[bytes]]:
    return lambda: itertools.repeat(part)


def _once(answer: bytes) -> Callable[[], Iterable[bytes]]:
    return lambda: [answer]


OK = b"HTTP/1.1 200 OK\r\n"
TASK = b'{"task_id": "t-1"}'
BOMB = gzip.compress(b" " * 5_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_once(b""), id="nothing"),
        pytest.param(_once(b"220 mail.example ESMTP\r\n"), id="not HTTP"),
        pytest.param(_once(OK), id="a head without an end"),
        pytest.param(_once(OK + b"Content-Length: 40\r\n\r\n" + TASK), id="shorter than it said"),
        pytest.param(_once(OK + b"Transfer-Encoding: chunked\r\n\r\n12\r\n" + TASK), id="a cut chunk"),
        pytest.param(_once(OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n" + TASK), id="a broken chunk"),
        pytest.param(_once(OK + b"\r\n" + TASK + b" " * LARGEST_ANSWER_BYTES), id="readable, and longer than the cap"),
        pytest.param(_once(OK + b"Content-Encoding: gzip\r\n\r\n" + TASK), id="not the encoding it said"),
        pytest.param(
            _once(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB), id="a gzip bomb"
        ),
        pytest.param(_endless(b"HTTP/1.1 100 Continue\r\n\r\n"), id="asks to continue for ever"),
        pytest.param(lambda: itertools.chain([OK], itertools.repeat(b"X: y\r\n")), id="headers for ever"),
        pytest.param(lambda: itertools.chain([OK, b"\r\n"], itertools.repeat(b" " * 4096)), id="a body for ever"),
    ],
)
def test_whatever_comes_after_the_first_byte_is_survived_and_unknown(
    tls_server: Callable[[str], ssl.SSLContext], own_authority: trustme.CA, answer: Callable[[], Iterable[bytes]]
) -> None:
    with serving(tls_server(HOST), answer()) as server:
        outcome = create(trusting(own_authority, server.origin, deadline=1))
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"Content-Length: 18\r\n\r\n" + TASK, id="with a length"),
        pytest.param(OK + b"\r\n" + TASK, id="until the connection ends"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n12\r\n" + TASK + b"\r\n0\r\n\r\n", id="chunked"),
        pytest.param(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(TASK), id="compressed unasked"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\n" + TASK, id="after 100 Continue"),
    ],
)
def test_a_whole_answer_is_read_however_it_is_framed(
    tls_server: Callable[[str], ssl.SSLContext], own_authority: trustme.CA, answer: bytes
) -> None:
    with serving(tls_server(HOST), [answer]) as server:
        assert create(trusting(own_authority, server.origin)) == Created("t-1")
