"""The authorities and the contexts of both sides."""

import ssl
from collections.abc import Callable

import pytest
import trustme

from song_intake.music_api.client import MusicApi
from tests.wire.hostile_server import HOST

Calls = Callable[..., MusicApi]
"""A client of an origin that trusts the room's authority; limits in seconds."""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "music.example").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_of(authority: trustme.CA) -> Calls:
    def client(origin: str, connect_timeout: float = 5, deadline: float = 5) -> MusicApi:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return MusicApi(origin, context, connect_timeout, deadline)

    return client
