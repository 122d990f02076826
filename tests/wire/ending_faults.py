"""Faults of the connection after the handshake: ends, resets, silence, drips, broken TLS."""

from tests.wire.fault import Allowed, Fault, Payload, Reads, faultless, nothing
from tests.wire.hostile_server import End

NOTHING = Allowed.NOTHING


def _head(payload: Payload) -> tuple[bytes]:
    return (payload.head(b"Content-Length: %d" % len(payload.body)),)


def _half(payload: Payload) -> tuple[bytes]:
    return (payload.framed()[:-9],)


ENDS = (
    *(
        Fault(f"{how.name.lower()} {when}", NOTHING, sends, ends=how)
        for how in (End.NOTIFY, End.FIN, End.RESET, End.GARBAGE)
        for when, sends in (("after the request", nothing), ("after the head", _head), ("within the body", _half))
    ),
    *(
        Fault(f"{how.name.lower()} before the request", NOTHING, nothing, ends=how, reads=Reads.NOTHING)
        for how in (End.FIN, End.RESET, End.GARBAGE)
    ),
    Fault("an answer before the request is read", Allowed.AS_ANSWERED, faultless, ends=End.STAY, reads=Reads.NOTHING),
    Fault("reset after the answer", Allowed.NOTHING_OR_AS_ANSWERED, faultless, ends=End.RESET),
    Fault("garbage after the answer", Allowed.NOTHING_OR_AS_ANSWERED, faultless, ends=End.GARBAGE),
)

SILENCE = (
    Fault("silence after the request", NOTHING, nothing, ends=End.STAY, outlasts=True),
    Fault("silence after the head", NOTHING, _head, ends=End.STAY, outlasts=True),
    Fault("silence within the body", NOTHING, _half, ends=End.STAY, outlasts=True),
    Fault("an answer that drips", NOTHING, nothing, drips=Payload.framed, outlasts=True),
    Fault("a body that drips", NOTHING, _head, drips=lambda p: p.body, outlasts=True),
    Fault("a body that drips until the end", NOTHING, lambda p: (p.head(),), drips=lambda p: p.body, outlasts=True),
)
