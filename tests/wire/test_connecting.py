"""Every way in which connecting can go wrong: nothing is sent, and the limit holds for all of its steps together."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from song_intake.domain.outcome import Created, Retryable
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.client import MusicApi
from song_intake.music_api.connecting import FRESH_SECONDS
from tests.conftest import TOKEN
from tests.wire.addresses import NAME, Found, Resolver, at, silent_port
from tests.wire.conftest import LYRICS, MARGIN, ClientOf, create
from tests.wire.fault import PAYLOADS, Allowed, Fault, faultless
from tests.wire.handshake_faults import HANDSHAKE_FAULTS, HandshakeFault
from tests.wire.hostile_server import HOST, HostileServer, serving

LIMIT = 0.4


def cannot_connect(api: MusicApi) -> float:
    """How many seconds it took to find that out."""
    began = time.monotonic()
    outcome = api.connect()
    took = time.monotonic() - began
    assert isinstance(outcome, Retryable), outcome
    assert outcome.reason is Reason.CANNOT_CONNECT
    return took


@pytest.mark.parametrize("fault", HANDSHAKE_FAULTS, ids=lambda fault: fault.name)
def test_a_failed_handshake_sends_nothing(authority: trustme.CA, client_of: ClientOf, fault: HandshakeFault) -> None:
    with serving(fault.handler(authority)) as server:
        api = client_of(server.origin, connect_timeout=LIMIT)
        took = cannot_connect(api)
        polled = api.poll("t-1", TOKEN)
    assert took < LIMIT + MARGIN
    assert not fault.outlasts or took >= LIMIT
    assert isinstance(polled, NoAnswer)
    assert server.connections == 2, "no retry of its own"
    assert not [text for text in (TOKEN, LYRICS) if text.encode() in server.received]


def test_an_alert_gives_the_server_the_reason(authority: trustme.CA, client_of: ClientOf) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOST).configure_cert(tls)
    reasons: list[str] = []

    def handle(plain: socket.socket, _: HostileServer) -> None:
        try:
            tls.wrap_socket(plain, server_side=True)
        except ssl.SSLError as refused:
            reasons.append(refused.reason)

    with serving(handle) as server:
        cannot_connect(client_of(server.origin))
    assert reasons == ["TLSV1_ALERT_UNKNOWN_CA"]


@pytest.fixture
def server(server_tls: ssl.SSLContext) -> Iterator[HostileServer]:
    with serving(Fault("none", Allowed.AS_ANSWERED, faultless).on(server_tls, PAYLOADS[0])) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[int]:
    with silent_port("127.0.0.9") as port:
        yield port


Resolves = Callable[[list[Found] | Exception], Resolver]


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolves]:
    """The name's addresses from here on; each lookup that still waits ends with the test."""
    resolvers = []

    def resolve_to(found: list[Found] | Exception) -> Resolver:
        resolvers.append(Resolver(found))
        monkeypatch.setattr(socket, "getaddrinfo", resolvers[-1])
        return resolvers[-1]

    yield resolve_to
    for resolver in resolvers:
        resolver.may_answer.set()


def named(client_of: ClientOf, connect_timeout: float = LIMIT) -> MusicApi:
    """A client of the name: the certificate is checked against the name, whichever address answers."""
    return client_of(f"https://{NAME}", connect_timeout=connect_timeout)


REFUSING, SILENT = "refusing", "silent"


@pytest.mark.parametrize(
    "before",
    [
        (),
        (REFUSING,),
        (REFUSING,) * 20,
        (SILENT,),
        (SILENT,) * 3,
        (SILENT, REFUSING, SILENT),
        ("::1",),
    ],
    ids=lambda before: " ".join(before) or "none",
)
def test_addresses_that_do_not_answer_leave_time_for_one_that_does(
    server: HostileServer, silent: int, resolves: Resolves, client_of: ClientOf, before: tuple[str, ...]
) -> None:
    places = {REFUSING: at(HOST, 1), SILENT: at("127.0.0.9", silent), "::1": at("::1", 1)}
    resolves([*(places[kind] for kind in before), at(HOST, server.port)])
    assert create(named(client_of, connect_timeout=1)) == Created("t-1")
    assert server.connections == 1


@pytest.mark.parametrize("silent_addresses", [1, 2, 10])
def test_silent_addresses_together_hold_no_longer_than_the_limit(
    silent: int, resolves: Resolves, client_of: ClientOf, silent_addresses: int
) -> None:
    resolves([at("127.0.0.9", silent)] * silent_addresses)
    assert cannot_connect(named(client_of)) < LIMIT + MARGIN


@pytest.mark.parametrize(
    "found",
    [[], [at(HOST, 1)], [at(HOST, 1)] * 10, socket.gaierror(socket.EAI_NONAME, "no such name"), UnicodeError("label")],
    ids=["no address", "refused", "ten refused", "no such name", "no name at all"],
)
def test_a_name_that_leads_nowhere_is_given_up_at_once(
    resolves: Resolves, client_of: ClientOf, found: list[Found] | Exception
) -> None:
    resolves(found)
    assert cannot_connect(named(client_of, connect_timeout=MARGIN + 1)) < MARGIN


def test_a_lookup_that_hangs_is_given_up_at_the_limit_and_holds_one_thread(
    resolves: Resolves, client_of: ClientOf
) -> None:
    resolver = resolves([])
    resolver.may_answer.clear()
    # Threads of earlier tests may end meanwhile.
    api, before = named(client_of), set(threading.enumerate())
    with ThreadPoolExecutor(20) as callers:
        took = list(callers.map(cannot_connect, [api] * 20))
    assert LIMIT <= min(took) <= max(took) < LIMIT + MARGIN
    assert cannot_connect(api) < LIMIT + MARGIN
    assert resolver.lookups == 1
    assert len(set(threading.enumerate()) - before) == 1


def test_a_lookup_that_ends_late_serves_the_next_caller(
    server: HostileServer, resolves: Resolves, client_of: ClientOf
) -> None:
    resolver = resolves([at(HOST, server.port)])
    resolver.may_answer.clear()
    api = named(client_of)
    cannot_connect(api)
    resolver.may_answer.set()
    assert create(api) == Created("t-1")
    assert resolver.lookups == 1


def test_a_slow_lookup_and_silent_addresses_share_one_limit(
    silent: int, resolves: Resolves, client_of: ClientOf
) -> None:
    resolver = resolves([at("127.0.0.9", silent)] * 2)
    resolver.may_answer.clear()
    limit = 2.0
    late = threading.Timer(0.7 * limit, resolver.may_answer.set)
    late.start()
    took = cannot_connect(named(client_of, connect_timeout=limit))
    late.join()
    assert limit <= took < 1.6 * limit


def test_a_batch_looks_the_name_up_once_and_a_later_one_again(
    server: HostileServer, resolves: Resolves, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = resolves([at(HOST, server.port)])
    api, now = named(client_of, connect_timeout=5), time.time()
    for later, lookups in ((0, 1), (FRESH_SECONDS - 0.1, 1), (FRESH_SECONDS + 0.1, 2), (0, 3)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert create(api) == Created("t-1")
        assert resolver.lookups == lookups


def test_addresses_of_which_none_answers_are_not_kept(
    server: HostileServer, resolves: Resolves, client_of: ClientOf
) -> None:
    resolver = resolves([at(HOST, 1)])
    api = named(client_of, connect_timeout=5)
    cannot_connect(api)
    resolver.found = [at(HOST, server.port)]
    assert create(api) == Created("t-1")


def test_a_failed_lookup_is_not_kept(server: HostileServer, resolves: Resolves, client_of: ClientOf) -> None:
    resolver = resolves(socket.gaierror(socket.EAI_AGAIN, "try again"))
    api = named(client_of, connect_timeout=5)
    cannot_connect(api)
    resolver.found = [at(HOST, server.port)]
    assert create(api) == Created("t-1")


def test_a_connection_that_is_refused_is_found_out_at_once(client_of: ClientOf) -> None:
    assert cannot_connect(client_of(f"https://{HOST}:1", connect_timeout=MARGIN + 1)) < MARGIN
