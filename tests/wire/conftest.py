"""The authorities and the contexts of both sides."""

import ssl
from collections.abc import Callable

import pytest
import trustme

from song_intake.domain.outcome import Outcome
from song_intake.music_api.client import Connection, MusicApi
from tests.conftest import TOKEN
from tests.wire.hostile_server import HOST

LYRICS = "canary lyrics"
BODY = b'{"task_type": "create_music", "lyrics": "%s"}' % LYRICS.encode()

MARGIN = 2.0
"""Seconds after its deadline in which a client returns, even on a busy machine. Without a deadline it returns later."""

ClientOf = Callable[..., MusicApi]
"""A client of an origin that trusts the tests' authority; both limits in seconds."""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "music.example").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_of(authority: trustme.CA) -> ClientOf:
    # One for all clients, as in a function. The machine's own authorities are left out: they take long to read.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)

    def client(origin: str, connect_timeout: float = 5, deadline: float = 5) -> MusicApi:
        return MusicApi(origin, context, connect_timeout, deadline)

    return client


def create(api: MusicApi) -> Outcome:
    connection = api.connect()
    assert isinstance(connection, Connection), connection
    with connection:
        return connection.create(BODY, TOKEN)
