"""Every way in which an answer can go wrong, with every kind of answer: what the client concludes, and by when."""

import ssl
import time
import tracemalloc

import pytest

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.client import Connection, MusicApi
from tests.conftest import TOKEN
from tests.wire.body_faults import CHUNKS, CODINGS, LENGTHS
from tests.wire.conftest import Calls
from tests.wire.ending_faults import ENDS, SILENCE
from tests.wire.fault import PAYLOADS, Allowed, Fault, Meaning, Payload, Reads, faultless
from tests.wire.head_faults import HEADERS, INTERIM, STATUS_LINES
from tests.wire.hostile_server import End, serving

FAULTS = (*INTERIM, *STATUS_LINES, *HEADERS, *LENGTHS, *CHUNKS, *CODINGS, *ENDS, *SILENCE)

SHORT_DEADLINE = 0.3
LONG_DEADLINE = 5.0
MARGIN = 0.25
MOST_MEMORY = 16 * 1024 * 1024

LYRICS = "canary lyrics"
BODY = b'{"task_type": "create_music", "lyrics": "%s"}' % LYRICS.encode()

# Faults that only the deadline ends are tried with two kinds of answers, to save time.
CASES = [
    pytest.param(fault, payload, id=f"{fault.name}, {payload.name}")
    for fault in FAULTS
    for payload in (PAYLOADS[:2] if fault.outlasts else PAYLOADS)
]


def create(api: MusicApi) -> Outcome:
    connection = api.connect()
    assert isinstance(connection, Connection)
    with connection:
        return connection.create(BODY, TOKEN)


def meaning(outcome: Outcome) -> Meaning:
    match outcome:
        case Created():
            return Meaning.CREATED
        case Refused() | Retryable():
            return Meaning.NOT_CREATED
        case Unknown():
            return Meaning.UNKNOWN


def test_the_catalogue_is_large_and_names_no_fault_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 100


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_without_a_fault_the_answer_means_what_it_says(
    server_tls: ssl.SSLContext, client_of: Calls, payload: Payload
) -> None:
    with serving(Fault("none", Allowed.AS_ANSWERED, faultless).on(server_tls, payload)) as server:
        assert meaning(create(client_of(server.origin))) is payload.means
    assert bytes(server.received).count(TOKEN.encode()) == 1


@pytest.mark.parametrize(("fault", "payload"), CASES)
def test_a_create_concludes_no_more_than_the_wire_proves(
    server_tls: ssl.SSLContext, client_of: Calls, fault: Fault, payload: Payload
) -> None:
    deadline = SHORT_DEADLINE if fault.outlasts else LONG_DEADLINE
    with serving(fault.on(server_tls, payload)) as server:
        began = time.monotonic()
        outcome = create(client_of(server.origin, deadline=deadline))
        took = time.monotonic() - began
    assert meaning(outcome) in fault.allowed.meanings(payload)
    assert took < deadline + MARGIN
    assert not fault.outlasts or took >= deadline
    assert server.connections == 1
    assert not [text for text in (TOKEN, LYRICS) if text in repr(outcome)]


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.allowed is Allowed.NOTHING], ids=lambda fault: fault.name
)
def test_a_poll_and_a_look_at_the_balance_have_no_answer_where_a_create_is_unknown(
    server_tls: ssl.SSLContext, client_of: Calls, fault: Fault
) -> None:
    with serving(fault.on(server_tls, PAYLOADS[0])) as server:
        api = client_of(server.origin, deadline=SHORT_DEADLINE if fault.outlasts else LONG_DEADLINE)
        assert isinstance(api.poll("t-1", TOKEN), NoAnswer)
        assert isinstance(api.credits(TOKEN), NoAnswer)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_large], ids=lambda fault: fault.name)
def test_no_answer_fills_the_memory(server_tls: ssl.SSLContext, client_of: Calls, fault: Fault) -> None:
    """Of this process, the server's part included."""
    with serving(fault.on(server_tls, PAYLOADS[1])) as server:
        api = client_of(server.origin, deadline=LONG_DEADLINE)
        tracemalloc.start()
        try:
            create(api)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MOST_MEMORY


REDIRECTS = {
    300: Meaning.UNKNOWN,
    301: Meaning.NOT_CREATED,
    302: Meaning.UNKNOWN,
    303: Meaning.UNKNOWN,
    304: Meaning.UNKNOWN,
    305: Meaning.UNKNOWN,
    306: Meaning.UNKNOWN,
    307: Meaning.NOT_CREATED,
    308: Meaning.NOT_CREATED,
}


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_to_another_host_is_not_followed(
    server_tls: ssl.SSLContext, client_of: Calls, status: int, payload: Payload
) -> None:
    """The other host's certificate is trusted too, so nothing but the client's own rule keeps the token from it."""
    with serving(Fault("none", Allowed.AS_ANSWERED, faultless).on(server_tls, payload)) as other:

        def redirect(payload: Payload) -> list[bytes]:
            answer = payload.framed(b"Location: %s/elsewhere" % other.origin.encode())
            return [answer.replace(payload.status_line, b"HTTP/1.1 %d Elsewhere\r\n" % status)]

        with serving(Fault("redirect", Allowed.AS_ANSWERED, redirect).on(server_tls, payload)) as server:
            api = client_of(server.origin)
            assert meaning(create(api)) is REDIRECTS[status]
            api.poll("t-1", TOKEN)
            api.credits(TOKEN)
    assert (server.connections, other.connections, bytes(other.received)) == (3, 0, b"")


def test_a_server_that_asks_for_a_certificate_of_ours_leaves_the_outcome_unknown(
    authority: object, client_of: Calls, server_tls: ssl.SSLContext
) -> None:
    """In TLS 1.3 its alert comes after our side of the handshake, when the request may be on the wire."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.verify_mode = ssl.CERT_NONE
    del asking
    _ = End, Reads
