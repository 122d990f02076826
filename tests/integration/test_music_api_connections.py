"""Connecting to the music API, or to nobody else: what fails here was not sent."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from song_intake.domain.outcome import Created, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.music_api.client import Connection, MusicApi
from tests.conftest import TOKEN
from tests.integration.creating import create, trusting
from tests.integration.raw_tls_server import HOST, serving
from tests.local.vendor.music_vendor import MusicVendor


def _cannot_connect(api: MusicApi) -> None:
    outcome = api.connect()
    assert isinstance(outcome, Retryable)
    assert outcome.reason is Reason.CANNOT_CONNECT


def test_a_refused_connection_is_no_create(vendor: MusicVendor, api: MusicApi) -> None:
    vendor.refuse_connections()
    _cannot_connect(api)


def test_a_name_that_does_not_resolve_is_no_create(tls: ssl.SSLContext) -> None:
    _cannot_connect(MusicApi("https://music-api.invalid", tls, 2, 2))


def test_a_handshake_that_never_ends_is_given_up(tls: ssl.SSLContext) -> None:
    with socket.create_server((HOST, 0)) as silent:
        _cannot_connect(MusicApi(f"https://{HOST}:{silent.getsockname()[1]}", tls, 0.2, 2))


def test_an_authority_that_is_not_trusted_is_sent_nothing(vendor: MusicVendor, own_authority: trustme.CA) -> None:
    _cannot_connect(trusting(own_authority, vendor.origin))
    assert vendor.requests == ()


def test_a_certificate_of_another_host_is_sent_nothing(
    tls_server: Callable[[str], ssl.SSLContext], own_authority: trustme.CA
) -> None:
    with serving(tls_server("api.example.com")) as server:
        _cannot_connect(trusting(own_authority, server.origin))
        assert (server.connections, bytes(server.received)) == (1, b"")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who must not be called."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0)
        yield listener


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(
    vendor: MusicVendor, api: MusicApi, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://{HOST}:{listener.getsockname()[1]}")
    assert isinstance(create(api), Created)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_password_file_of_the_machine_does_not_replace_the_token(
    vendor: MusicVendor, api: MusicApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    create(api)
    (request,) = vendor.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


def test_every_create_has_a_connection_of_its_own(vendor: MusicVendor, api: MusicApi) -> None:
    for _ in range(3):
        create(api)
    assert len({request.client_port for request in vendor.requests}) == 3


def test_a_line_leaves_no_connection_open(
    tls_server: Callable[[str], ssl.SSLContext], own_authority: trustme.CA
) -> None:
    with serving(tls_server(HOST)) as server:
        line = trusting(own_authority, server.origin).connect()
        assert isinstance(line, Connection)
        with line:
            pass
        # The server takes one connection after another: the second is served because the first one ended.
        assert isinstance(create(trusting(own_authority, server.origin)), Unknown)
        assert server.connections == 2


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "api.example.com",
        "http://api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://:443",
        "https://api.example.com:port",
        "https://somebody:secret@api.example.com",
        "https://api.example.com/v1",
        "https://api.example.com?x=1",
        "https://api.example.com#x",
    ],
)
def test_an_origin_that_is_not_https_and_a_host_alone_is_refused_at_the_start(tls: ssl.SSLContext, origin: str) -> None:
    with pytest.raises(ValueError, match=r"origin|Port"):
        MusicApi(origin, tls, 2, 2)
