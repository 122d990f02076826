"""Faults of the head: interim answers, status lines, header lines."""

import itertools
import os
from collections.abc import Callable, Iterable

from tests.wire.fault import Allowed, Fault, Payload
from tests.wire.hostile_server import End

AS_ANSWERED, TASK_ID_ALONE, NOTHING = Allowed.AS_ANSWERED, Allowed.TASK_ID_ALONE, Allowed.NOTHING

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"

Sends = Callable[[Payload], Iterable[bytes]]


def _after(before: bytes) -> Sends:
    """These bytes, then a faultless answer."""
    return lambda payload: (before + payload.framed(),)


def _endless(part: bytes, *, after: bytes = b"") -> Sends:
    return lambda _: itertools.chain([after], itertools.repeat(part))


def _line(line: bytes) -> Sends:
    """A faultless answer with this line before its other headers."""
    return lambda payload: (payload.framed().replace(b"\r\n", b"\r\n" + line, 1),)


def _started(line: bytes) -> Sends:
    """A faultless answer with another status line."""
    return lambda payload: (payload.framed().replace(payload.status_line, line, 1),)


INTERIM = (
    Fault("100 once", AS_ANSWERED, _after(CONTINUE)),
    Fault("102 once", AS_ANSWERED, _after(PROCESSING)),
    Fault("103 once", AS_ANSWERED, _after(HINTS)),
    Fault("an interim status that nobody defined", AS_ANSWERED, _after(b"HTTP/1.1 199 Odd\r\n\r\n")),
    Fault("100, 102 and 103 in turn", AS_ANSWERED, _after((CONTINUE + PROCESSING + HINTS) * 20)),
    Fault("103 a thousand times", AS_ANSWERED, _after(HINTS * 1000)),
    Fault("100 for ever", NOTHING, _endless(CONTINUE * 100), is_large=True),
    Fault("103 for ever", NOTHING, _endless(HINTS.replace(b"style", b"style" * 400))),
    Fault("103 for ever, slowly", NOTHING, lambda _: (HINTS,), drips=lambda _: HINTS * 99, outlasts=True),
    Fault("103, then the end", NOTHING, lambda _: (HINTS,)),
    Fault("103, then silence", NOTHING, lambda _: (HINTS,), ends=End.STAY, outlasts=True),
    Fault("103 with a body", NOTHING, lambda payload: (HINTS + payload.body + payload.framed(),)),
    Fault("101, then another protocol", NOTHING, lambda _: (SWITCHING + b"\0\0\0\4\0\0\0\0\0",)),
)

STATUS_LINES = (
    Fault("HTTP/0.9: a body alone", NOTHING, lambda payload: (payload.body,)),
    Fault("HTTP/1.0 with a length", AS_ANSWERED, lambda p: (p.framed().replace(b"HTTP/1.1", b"HTTP/1.0", 1),)),
    Fault("HTTP/1.0 until the end", AS_ANSWERED, lambda p: (p.head().replace(b"1.1", b"1.0", 1) + p.body,)),
    Fault("HTTP/2 in a status line", NOTHING, lambda p: (p.framed().replace(b"HTTP/1.1", b"HTTP/2", 1),)),
    Fault("the preface of HTTP/2", NOTHING, _after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
    Fault("a frame of HTTP/2", NOTHING, lambda _: (b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64",)),
    Fault("a mail server's greeting", NOTHING, lambda _: (b"220 mail.example ESMTP\r\n",)),
    Fault("a radio's status line", NOTHING, _started(b"ICY 200 OK\r\n")),
    Fault("a status that is no number", NOTHING, _started(b"HTTP/1.1 OK\r\n")),
    Fault("a status of two digits", NOTHING, _started(b"HTTP/1.1 40\r\n")),
    Fault("a status of four digits", NOTHING, _started(b"HTTP/1.1 4000 Odd\r\n")),
    Fault("no status", NOTHING, _started(b"HTTP/1.1\r\n")),
    Fault("empty lines first", NOTHING, _after(b"\r\n\r\n")),
    Fault("random bytes", NOTHING, lambda _: (os.urandom(512) + b"\n",)),
    Fault("a status line for ever", NOTHING, _endless(b"x" * 4096, after=b"HTTP/1.1 200 "), is_large=True),
    Fault(
        "no reason phrase", AS_ANSWERED, lambda p: (p.framed().replace(p.status_line, p.status_line[:12] + b"\r\n"),)
    ),
    Fault("a status line that ends early", NOTHING, lambda p: (p.status_line[:12],)),
    Fault("a status line that ends early, cut", NOTHING, lambda p: (p.status_line[:12],), ends=End.FIN),
)

HEADERS = (
    Fault("a head without its end", NOTHING, lambda p: (p.status_line + p.type_line,)),
    Fault("a head without its end, cut", NOTHING, lambda p: (p.status_line + p.type_line,), ends=End.FIN),
    Fault("a head without its end, reset", NOTHING, lambda p: (p.status_line + p.type_line,), ends=End.RESET),
    Fault("a head that stops", NOTHING, lambda p: (p.status_line + p.type_line,), ends=End.STAY, outlasts=True),
    Fault("a head that ends within its end", NOTHING, lambda p: (p.head()[:-1],)),
    Fault("a header of 60 KiB", AS_ANSWERED, _line(b"X: " + b"y" * 61_440 + b"\r\n")),
    Fault("a header of 64 KiB", NOTHING, _line(b"X: " + b"y" * 65_536 + b"\r\n")),
    Fault("90 headers", AS_ANSWERED, _line(b"X: y\r\n" * 90)),
    Fault("200 headers", NOTHING, _line(b"X: y\r\n" * 200)),
    Fault("90 headers of 60 KiB", NOTHING, _line((b"X: " + b"y" * 61_440 + b"\r\n") * 90), is_large=True),
    Fault("90 cookies of 10 KiB", AS_ANSWERED, _line((b"Set-Cookie: a=" + b"b; c=" * 2_048 + b"\r\n") * 90)),
    Fault("headers for ever", NOTHING, lambda p: itertools.chain([p.status_line], itertools.repeat(b"X: y\r\n"))),
    Fault(
        "a header for ever", NOTHING, lambda p: itertools.chain([p.status_line, b"X: "], itertools.repeat(b"y" * 99))
    ),
    Fault("lines that end with LF alone", AS_ANSWERED, lambda p: (p.framed().replace(b"\r\n", b"\n"),)),
    Fault("lines that end with CR alone", NOTHING, lambda p: (p.framed().replace(b"\r\n", b"\r"),)),
    Fault("CR within a header", AS_ANSWERED, _line(b"X: a\rY: b\r\n")),
    Fault("NUL within a header", AS_ANSWERED, _line(b"X: a\0b\r\n")),
    Fault("a header that is not ASCII", AS_ANSWERED, _line(b"X: \xff\xfe\r\n")),
    Fault("a folded header", AS_ANSWERED, _line(b"X: a\r\n b\r\n\tc\r\n")),
    Fault("a fold without a header", TASK_ID_ALONE, _line(b" folded\r\n")),
    Fault("a line without a colon", TASK_ID_ALONE, _line(b"no colon\r\n")),
    Fault("a header without a name", TASK_ID_ALONE, _line(b": x\r\n")),
)
