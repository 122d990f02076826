"""The balance of the account, read from the simulated music API."""

import socket
import ssl
import time

import pytest
import trustme

from song_intake.admission.switch import IntakeSwitch
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance
from tests.conftest import TOKEN
from tests.integration.bench import Bench
from tests.integration.creating import trusting
from tests.integration.raw_tls_server import HOST, serving
from tests.integration.switching import SimulatedMappings, switch_of
from tests.local.vendor.music_vendor import CREDITS_PATH


@pytest.fixture
def switch(bench: Bench) -> IntakeSwitch:
    return switch_of(bench, SimulatedMappings())


def test_the_balance_is_what_the_vendor_returns(bench: Bench, switch: IntakeSwitch) -> None:
    bench.vendor.credits = 120
    assert switch.balance() == Balance(120, 0)
    (sent,) = bench.vendor.requests
    assert (sent.method, sent.path, sent.body) == ("GET", CREDITS_PATH, b"")


def test_the_token_is_read_again_every_time(bench: Bench, switch: IntakeSwitch) -> None:
    switch.balance()
    bench.vendor.tokens.clear()
    assert switch.balance() == NoAnswer(Reason.TOKEN_REFUSED, 401)
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    assert switch.balance() == Balance(bench.vendor.credits, 0)


def test_without_a_token_the_vendor_is_not_called(bench: Bench) -> None:
    switch = switch_of(bench, SimulatedMappings(), secret_id="no-such-secret")
    assert switch.balance() == NoAnswer(Reason.TOKEN_NEVER_SET)
    assert bench.vendor.requests == ()


def test_without_a_connection_the_balance_is_unknown(bench: Bench, switch: IntakeSwitch) -> None:
    bench.vendor.refuse_connections()
    assert switch.balance() == NoAnswer(Reason.CANNOT_CONNECT)


def test_an_incomplete_response_gives_no_balance() -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    with serving(tls, [b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"]) as server:
        assert trusting(authority, server.origin).credits(TOKEN) == NoAnswer(Reason.BALANCE_UNKNOWN)


def test_within_a_time_the_balance_is_known_or_not(own_authority: trustme.CA) -> None:
    """The server accepts the connection, and never begins the handshake."""
    with socket.create_server((HOST, 0)) as silent:
        api = trusting(own_authority, f"https://{HOST}:{silent.getsockname()[1]}", deadline=30)
        began = time.monotonic()
        assert api.within(0.4).credits(TOKEN) == NoAnswer(Reason.CANNOT_CONNECT)
    assert time.monotonic() - began < 3
