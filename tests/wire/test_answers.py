"""Every way in which an answer can go wrong, with every kind of answer: what the client concludes, and by when."""

import ssl
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.task import NoAnswer, TaskState
from tests.conftest import TOKEN
from tests.wire.body_faults import CHUNKS, CODINGS, LENGTHS
from tests.wire.conftest import LYRICS, MARGIN, ClientOf, create
from tests.wire.ending_faults import ENDS, SILENCE
from tests.wire.fault import PAYLOADS, Allowed, Fault, Meaning, Payload, faultless
from tests.wire.head_faults import HEADERS, INTERIM, STATUS_LINES
from tests.wire.hostile_server import serving

FAULTS = (*INTERIM, *STATUS_LINES, *HEADERS, *LENGTHS, *CHUNKS, *CODINGS, *ENDS, *SILENCE)
QUICK_FAULTS = [fault for fault in FAULTS if not fault.outlasts]
OUTLASTING_FAULTS = [fault for fault in FAULTS if fault.outlasts]
NO_FAULT = Fault("none", Allowed.AS_ANSWERED, faultless)

SHORT_DEADLINE = 0.3
LONG_DEADLINE = 5.0
MOST_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tried:
    """What one create and one poll came to, against a server with one fault."""

    created: Outcome
    create_seconds: float
    polled: TaskState
    poll_seconds: float
    connections: int


Try = Callable[[Fault, Payload], Tried]


@pytest.fixture(scope="module")
def try_(server_tls: ssl.SSLContext, client_of: ClientOf) -> Try:
    def try_once(fault: Fault, payload: Payload) -> Tried:
        with serving(fault.on(server_tls, payload)) as server:
            api = client_of(server.origin, deadline=SHORT_DEADLINE if fault.outlasts else LONG_DEADLINE)
            began = time.monotonic()
            created = create(api)
            between = time.monotonic()
            polled = api.poll("t-1", TOKEN)
            return Tried(created, between - began, polled, time.monotonic() - between, server.connections)

    return try_once


@pytest.fixture(scope="module")
def outlasting(try_: Try) -> dict[tuple[str, str], Tried]:
    """All faults that only the deadline ends, several at a time: each of them mostly waits."""
    cases = [(fault, payload) for fault in OUTLASTING_FAULTS for payload in PAYLOADS]
    with ThreadPoolExecutor(16) as threads:
        tried = threads.map(lambda case: try_(*case), cases)
        return {(fault.name, payload.name): result for (fault, payload), result in zip(cases, tried, strict=True)}


def meaning(outcome: Outcome) -> Meaning:
    match outcome:
        case Created():
            return Meaning.CREATED
        case Refused() | Retryable():
            return Meaning.NOT_CREATED
        case Unknown():
            return Meaning.UNKNOWN


def check(fault: Fault, payload: Payload, tried: Tried) -> None:
    assert meaning(tried.created) in fault.allowed.meanings(payload), tried.created
    assert fault.allowed is not Allowed.NOTHING or isinstance(tried.polled, NoAnswer)
    assert tried.connections == 2, "no retry of its own"
    assert not [text for text in (TOKEN, LYRICS) if text in repr(tried)]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
@pytest.mark.parametrize("fault", [NO_FAULT, *QUICK_FAULTS], ids=lambda fault: fault.name)
def test_a_client_concludes_no_more_than_the_wire_proves(try_: Try, fault: Fault, payload: Payload) -> None:
    tried = try_(fault, payload)
    check(fault, payload, tried)
    assert max(tried.create_seconds, tried.poll_seconds) < LONG_DEADLINE


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
@pytest.mark.parametrize("fault", OUTLASTING_FAULTS, ids=lambda fault: fault.name)
def test_a_client_leaves_at_its_deadline(
    outlasting: dict[tuple[str, str], Tried], fault: Fault, payload: Payload
) -> None:
    tried = outlasting[fault.name, payload.name]
    check(fault, payload, tried)
    for seconds in (tried.create_seconds, tried.poll_seconds):
        assert SHORT_DEADLINE <= seconds < SHORT_DEADLINE + MARGIN


def test_the_catalogue_is_large_and_names_no_fault_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 100


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_large], ids=lambda fault: fault.name)
def test_no_answer_fills_the_memory(server_tls: ssl.SSLContext, client_of: ClientOf, fault: Fault) -> None:
    """The memory of this process, the server's part included."""
    with serving(fault.on(server_tls, PAYLOADS[1])) as server:
        api = client_of(server.origin, deadline=LONG_DEADLINE)
        tracemalloc.start()
        try:
            create(api)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MOST_MEMORY


NOT_CREATED_REDIRECTS = (301, 307, 308)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
@pytest.mark.parametrize("status", range(300, 309))
def test_a_redirect_to_another_host_is_not_followed(
    server_tls: ssl.SSLContext, client_of: ClientOf, status: int, payload: Payload
) -> None:
    """The other host's certificate is trusted too: only the client's own rule keeps the token from that host."""
    with serving(NO_FAULT.on(server_tls, payload)) as other:

        def redirect(payload: Payload) -> list[bytes]:
            answer = payload.framed(b"Location: %s/elsewhere" % other.origin.encode())
            return [answer.replace(payload.status_line, b"HTTP/1.1 %d Elsewhere\r\n" % status)]

        with serving(Fault("redirect", Allowed.AS_ANSWERED, redirect).on(server_tls, payload)) as server:
            api = client_of(server.origin)
            expected = Meaning.NOT_CREATED if status in NOT_CREATED_REDIRECTS else Meaning.UNKNOWN
            assert meaning(create(api)) is expected
            api.poll("t-1", TOKEN)
            api.credits(TOKEN)
    assert bytes(server.received).count(TOKEN.encode()) == 3
    assert (server.connections, other.connections, bytes(other.received)) == (3, 0, b"")


def test_a_server_that_wants_a_certificate_leaves_the_outcome_unknown(
    server_tls: ssl.SSLContext, client_of: ClientOf
) -> None:
    """In TLS 1.3 its refusal comes after the client's part of the handshake, when the request may be on the wire."""
    server_tls.verify_mode = ssl.CERT_REQUIRED
    try:
        with serving(NO_FAULT.on(server_tls, PAYLOADS[0])) as server:
            assert isinstance(create(client_of(server.origin)), Unknown)
    finally:
        server_tls.verify_mode = ssl.CERT_NONE
