"""Faults of the body: its length, its chunks, its content codings."""

import gzip
import itertools
import zlib
from collections.abc import Callable, Iterable

from tests.wire.fault import Allowed, Fault, Payload
from tests.wire.hostile_server import End

AS_ANSWERED, TASK_ID_ALONE, NOTHING = Allowed.AS_ANSWERED, Allowed.TASK_ID_ALONE, Allowed.NOTHING

Sends = Callable[[Payload], Iterable[bytes]]

MIB = 1024 * 1024
# Bombs, made before anything is measured.
GZIP_BOMB = gzip.compress(bytes(64 * MIB))
DEFLATE_BOMB = zlib.compress(bytes(64 * MIB))


def _with(*lines: bytes) -> Sends:
    """These headers, and the body until the connection ends."""
    return lambda payload: (payload.head(*lines) + payload.body,)


def _length(difference: int) -> Sends:
    return lambda p: (p.head(b"Content-Length: %d" % (len(p.body) + difference)) + p.body,)


def _lengths(form: bytes) -> Sends:
    """The length as this text writes it, with %d for the right one."""
    return lambda p: (p.head(form.replace(b"%d", b"%d" % len(p.body))) + p.body,)


LENGTHS = (
    Fault("no length, ended", AS_ANSWERED, _with()),
    Fault("no length, cut", TASK_ID_ALONE, _with(), ends=End.FIN),
    Fault("no length, reset within the body", NOTHING, lambda p: (p.head() + p.body[:-5],), ends=End.RESET),
    Fault("no length, cut within the body", NOTHING, lambda p: (p.head() + p.body[:-5],), ends=End.FIN),
    Fault("no length, never ended", NOTHING, _with(), ends=End.STAY, outlasts=True),
    Fault("one byte too few, ended", NOTHING, _length(1)),
    Fault("one byte too few, cut", NOTHING, _length(1), ends=End.FIN),
    Fault("one byte too few, never ended", NOTHING, _length(1), ends=End.STAY, outlasts=True),
    Fault("more than the length", AS_ANSWERED, lambda p: (p.framed() + b"HTTP/1.1 500 Surplus\r\n\r\n",)),
    Fault("the length, never ended", AS_ANSWERED, _length(0), ends=End.STAY),
    Fault("the length, cut", AS_ANSWERED, _length(0), ends=End.FIN),
    Fault("the length twice", AS_ANSWERED, _lengths(b"Content-Length: %d\r\nContent-Length: %d")),
    Fault("the length twice in one line", AS_ANSWERED, _lengths(b"Content-Length: %d, %d")),
    Fault("two lengths", NOTHING, _lengths(b"Content-Length: 5\r\nContent-Length: %d")),
    Fault("two lengths in one line", NOTHING, _lengths(b"Content-Length: 5, %d")),
    Fault("a negative length", TASK_ID_ALONE, _lengths(b"Content-Length: -5")),
    Fault("a length with a sign", TASK_ID_ALONE, _lengths(b"Content-Length: +%d")),
    Fault("a length in words", TASK_ID_ALONE, _lengths(b"Content-Length: many")),
    Fault("an empty length", TASK_ID_ALONE, _lengths(b"Content-Length:")),
    Fault("a hexadecimal length", TASK_ID_ALONE, _lengths(b"Content-Length: 0x10")),
    Fault("a length of 10 GB", NOTHING, _lengths(b"Content-Length: 10000000000"), is_large=True),
    Fault("a length of 31 digits", NOTHING, _lengths(b"Content-Length: 1" + b"0" * 30), is_large=True),
    Fault("a length of 5,000 digits", TASK_ID_ALONE, _lengths(b"Content-Length: 1" + b"0" * 5_000), is_large=True),
    Fault(
        "a body for ever", NOTHING, lambda p: itertools.chain([p.head()], itertools.repeat(bytes(4096))), is_large=True
    ),
    Fault(
        "2 MiB with their length",
        NOTHING,
        lambda p: (p.head(b"Content-Length: 2097152"), bytes(2 * MIB)),
        is_large=True,
    ),
)


def _chunked(body: Callable[[bytes], bytes], *lines: bytes) -> Sends:
    """The body as this function chunks it."""
    return lambda p: (p.head(b"Transfer-Encoding: chunked", *lines) + body(p.body),)


def _chunk(data: bytes, size: bytes | None = None, after: bytes = b"\r\n") -> bytes:
    return (b"%x" % len(data) if size is None else size) + b"\r\n" + data + after


LAST = b"0\r\n\r\n"

CHUNKS = (
    Fault("one chunk", AS_ANSWERED, _chunked(lambda b: _chunk(b) + LAST)),
    Fault("one chunk, never ended", AS_ANSWERED, _chunked(lambda b: _chunk(b) + LAST), ends=End.STAY),
    Fault("chunks of a byte", AS_ANSWERED, _chunked(lambda b: b"".join(_chunk(bytes([x])) for x in b) + LAST)),
    Fault("chunks and a length", AS_ANSWERED, _chunked(lambda b: _chunk(b) + LAST, b"Content-Length: 5")),
    Fault("a chunk's extension", AS_ANSWERED, _chunked(lambda b: _chunk(b, b"%x;a=b" % len(b)) + LAST)),
    Fault(
        "a chunk's extension of 64 KiB", NOTHING, _chunked(lambda b: _chunk(b, b"%x;" % len(b) + b"a" * 65_536) + LAST)
    ),
    Fault("trailers", AS_ANSWERED, _chunked(lambda b: _chunk(b) + b"0\r\nX: y\r\nContent-Length: 5\r\n\r\n")),
    Fault(
        "trailers for ever",
        NOTHING,
        lambda p: itertools.chain(_chunked(lambda b: _chunk(b) + b"0\r\n")(p), itertools.repeat(b"X: y\r\n" * 99)),
        is_large=True,
    ),
    Fault("a chunk's size in words", NOTHING, _chunked(lambda b: _chunk(b, b"many") + LAST)),
    Fault("an empty chunk's size", NOTHING, _chunked(lambda b: _chunk(b, b"") + LAST)),
    Fault("a chunk's size of -1", NOTHING, _chunked(lambda b: _chunk(b, b"-1") + LAST)),
    Fault("a chunk's size of -5", NOTHING, _chunked(lambda b: _chunk(b, b"-5") + LAST)),
    Fault(
        "a chunk's size of -1, for ever",
        NOTHING,
        lambda p: itertools.chain(_chunked(lambda _: b"-1\r\n")(p), itertools.repeat(bytes(4096))),
        is_large=True,
    ),
    Fault("a chunk's size of 16 EiB", NOTHING, _chunked(lambda b: _chunk(b, b"f" * 16) + LAST), is_large=True),
    Fault("a chunk longer than its size", NOTHING, _chunked(lambda b: _chunk(b, b"5") + LAST)),
    Fault("a cut chunk", NOTHING, _chunked(lambda b: _chunk(b)[:-5]), ends=End.FIN),
    Fault("a chunk that ends early", NOTHING, _chunked(lambda b: _chunk(b)[:-5])),
    Fault("a cut between chunks", NOTHING, _chunked(lambda b: _chunk(b[:9])), ends=End.FIN),
    Fault("no last chunk", NOTHING, _chunked(_chunk)),
    Fault("no last chunk, never ended", NOTHING, _chunked(_chunk), ends=End.STAY, outlasts=True),
    Fault("a last chunk without its end", TASK_ID_ALONE, _chunked(lambda b: _chunk(b) + b"0\r\n")),
    Fault("a last chunk without its end, cut", TASK_ID_ALONE, _chunked(lambda b: _chunk(b) + b"0"), ends=End.FIN),
    Fault(
        "chunks for ever",
        NOTHING,
        lambda p: itertools.chain([p.head(b"Transfer-Encoding: chunked")], itertools.repeat(_chunk(bytes(4096)))),
        is_large=True,
    ),
    Fault(
        "compressed chunks",
        NOTHING,
        lambda p: (p.head(b"Transfer-Encoding: gzip, chunked") + _chunk(gzip.compress(p.body)) + LAST,),
    ),
    Fault("chunked twice", TASK_ID_ALONE, _chunked(lambda b: _chunk(b) + LAST, b"Transfer-Encoding: chunked")),
    Fault("an unknown transfer coding", TASK_ID_ALONE, _with(b"Transfer-Encoding: xchunked")),
    Fault("identity as a transfer coding", TASK_ID_ALONE, _with(b"Transfer-Encoding: identity")),
)


def _coded(name: bytes, code: Callable[[bytes], bytes]) -> Sends:
    """The body in this content coding, with its length."""

    def sends(payload: Payload) -> Iterable[bytes]:
        body = code(payload.body)
        return (payload.head(b"Content-Encoding: " + name, b"Content-Length: %d" % len(body)) + body,)

    return sends


def _plain(body: bytes) -> bytes:
    return body


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body)


def _raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body, wbits=-15)


CODINGS = (
    Fault("gzip", AS_ANSWERED, _coded(b"gzip", _gzip)),
    Fault("x-gzip", AS_ANSWERED, _coded(b"x-gzip", _gzip)),
    Fault("GZIP", AS_ANSWERED, _coded(b"GZIP", _gzip)),
    Fault("deflate", AS_ANSWERED, _coded(b"deflate", zlib.compress)),
    Fault("deflate without zlib's head", AS_ANSWERED, _coded(b"deflate", _raw_deflate)),
    Fault("identity", AS_ANSWERED, _coded(b"identity", _plain)),
    Fault("gzip twice", AS_ANSWERED, _coded(b"gzip, gzip", lambda b: _gzip(_gzip(b)))),
    Fault("deflate, then gzip", AS_ANSWERED, _coded(b"deflate, gzip", lambda b: _gzip(zlib.compress(b)))),
    Fault(
        "gzip five times", NOTHING, _coded(b", ".join([b"gzip"] * 5), lambda b: _gzip(_gzip(_gzip(_gzip(_gzip(b))))))
    ),
    Fault("a thousand codings", NOTHING, _coded(b", ".join([b"gzip"] * 1000), lambda b: _gzip(_gzip(_gzip(b))))),
    Fault("gzip that is cut", NOTHING, _coded(b"gzip", lambda b: _gzip(b)[:-12])),
    Fault("gzip without its checksum", TASK_ID_ALONE, _coded(b"gzip", lambda b: _gzip(b)[:-8])),
    Fault("gzip with a wrong checksum", NOTHING, _coded(b"gzip", lambda b: _gzip(b)[:-8] + bytes(8))),
    Fault("gzip with something after it", TASK_ID_ALONE, _coded(b"gzip", lambda b: _gzip(b) + b"surplus")),
    Fault("deflate that is cut", NOTHING, _coded(b"deflate", lambda b: zlib.compress(b)[:-6])),
    Fault("not the gzip that it should be", TASK_ID_ALONE, _coded(b"gzip", _plain)),
    Fault("not the deflate that it should be", TASK_ID_ALONE, _coded(b"deflate", _plain)),
    Fault("br", NOTHING, _coded(b"br", lambda b: b"\x0b\x02\x80" + bytes(x ^ 0x55 for x in b) + b"\x03")),
    Fault("an unknown coding", TASK_ID_ALONE, _coded(b"utf-8", _plain)),
    Fault("a gzip bomb", NOTHING, _coded(b"gzip", lambda _: GZIP_BOMB), is_large=True),
    Fault("a gzip bomb of two layers", NOTHING, _coded(b"gzip, gzip", lambda _: _gzip(GZIP_BOMB)), is_large=True),
    Fault("a deflate bomb", NOTHING, _coded(b"deflate", lambda _: DEFLATE_BOMB), is_large=True),
)
