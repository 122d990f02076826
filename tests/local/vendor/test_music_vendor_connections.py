"""The stand-in's connections on the wire: cut, slow, silent, refused, abandoned, and many at once."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest

from tests.local.vendor import behaviour
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.record import CREATE_PATH
from tests.local.vendor.server import Request

TOKEN = "a-known-token"
SONG = {"task_type": "create_music", "title": "Night Train", "sound": "slow blues"}


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor:
        yield vendor


@pytest.mark.parametrize("creates", [True, False])
@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("at", ["start", "head", "body"])
def test_a_cut_answer_breaks_the_connection_where_planned(
    vendor: MusicVendor, at: Literal["start", "head", "body"], *, reset: bool, creates: bool
) -> None:
    vendor.plan("Night Train", behaviour.cut(at, reset=reset, creates=creates))

    received, ending = _exchange(vendor)

    head, end_of_head, body = received.partition(b"\r\n\r\n")
    assert (bool(head), bool(end_of_head), bool(body)) == (at != "start", at == "body", at == "body")
    # Python 3.11 also reports a reset as an end of stream.
    assert isinstance(ending, ConnectionResetError | ssl.SSLEOFError)
    assert [create.answered for create in vendor.creates] == [False] * creates


@pytest.mark.parametrize(("reset", "ending"), [(True, ConnectionResetError), (False, None)])
def test_a_cut_is_a_tcp_reset_or_an_end_without_a_tls_close(
    vendor: MusicVendor, ending: type[OSError] | None, *, reset: bool
) -> None:
    vendor.plan("Night Train", behaviour.cut("start", reset=reset, creates=True))

    with _connect(vendor) as connection:
        connection.sendall(_create_request())
        assert _ending_of_tcp(connection) is ending


@pytest.mark.parametrize("creates", [True, False])
def test_a_hanging_request_is_never_answered(vendor: MusicVendor, *, creates: bool) -> None:
    vendor.plan("Night Train", behaviour.hang(creates=creates))

    received, ending = _exchange(vendor, read_timeout=0.2)

    assert (received, type(ending)) == (b"", TimeoutError)
    assert [create.answered for create in vendor.creates] == [False] * creates


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_dripping_answer_takes_longer_than_the_read_timeout_and_is_complete(
    vendor: MusicVendor, part: Literal["head", "body"]
) -> None:
    vendor.plan("Night Train", behaviour.drip(part, interval=0.01))
    began = time.monotonic()

    received, _ = _exchange(vendor, read_timeout=0.3)

    assert time.monotonic() - began > 0.5
    assert _task_id(received) == vendor.creates[0].task_id


def test_it_refuses_connections_and_accepts_them_again_on_the_same_port(vendor: MusicVendor) -> None:
    vendor.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        _exchange(vendor)

    vendor.accept_connections()

    received, _ = _exchange(vendor)
    assert [_task_id(received)] == [create.task_id for create in vendor.creates]


def test_a_port_in_use_is_an_error_at_once(vendor: MusicVendor, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        MusicVendor(tmp_path, port=int(vendor.origin.rpartition(":")[2]))


def test_clients_that_disconnect_cause_neither_output_nor_leftover_threads(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    with ExitStack() as patient:
        with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor:
            vendor.plan_all(behaviour.hang(creates=True))
            patient.enter_context(socket.create_connection(_address(vendor)))
            with socket.create_connection(_address(vendor)) as plain:
                plain.sendall(b"POST / HTTP/1.1\r\n\r\n")
            with _connect(vendor) as halfway:
                halfway.sendall(_create_request()[:-5])
            with _connect(vendor) as impatient:
                impatient.sendall(_create_request())
                vendor.wait_for(lambda: vendor.creates, timeout=30)
            patient.enter_context(_connect(vendor)).sendall(_create_request())
            vendor.wait_for(lambda: len(vendor.creates) == 2, timeout=30)

        left = [thread for thread in threading.enumerate() if thread not in before]
        for thread in left:
            thread.join(timeout=5)
        assert not any(thread.is_alive() for thread in left)
    assert len(vendor.requests) == 2, "an incomplete request is not recorded"
    assert capfd.readouterr() == ("", "")


def test_a_hook_that_fails_is_not_ignored_like_a_client_that_disconnected(
    vendor: MusicVendor, capfd: pytest.CaptureFixture[str]
) -> None:
    def kill_what_is_gone(_: Request) -> None:
        raise ProcessLookupError

    vendor.on_create("Night Train", kill_what_is_gone)

    received, _ = _exchange(vendor)

    assert received == b""
    assert "HookError" in capfd.readouterr().err


def test_two_hundred_creates_run_at_once(vendor: MusicVendor) -> None:
    clients = 200
    everyone = threading.Barrier(clients)

    def latency() -> float:
        everyone.wait(timeout=20)
        return 0.2

    vendor.latency = latency
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda _: _exchange(vendor)[0], range(clients)))

    task_ids = {_task_id(answer) for answer in answers}
    assert task_ids == {create.task_id for create in vendor.creates}
    assert len(task_ids) == clients


def _exchange(vendor: MusicVendor, read_timeout: float = 20) -> tuple[bytes, OSError | None]:
    """The bytes that one create receives, and the error that ended the connection."""
    received = b""
    with _connect(vendor) as connection:
        connection.settimeout(read_timeout)
        connection.sendall(_create_request())
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except OSError as ending:
            return received, ending
    return received, None


def _ending_of_tcp(connection: ssl.SSLSocket) -> type[OSError] | None:
    """Reads below TLS: the kind of error that ends the stream, or None for a regular end."""
    try:
        while socket.socket.recv(connection, 65536):
            pass
    except OSError as error:
        return type(error)
    return None


def _task_id(received: bytes) -> object:
    _, _, body = received.partition(b"\r\n\r\n")
    return json.loads(body)["task_id"]


def _connect(vendor: MusicVendor) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=vendor.ca_bundle)
    plain = socket.create_connection(_address(vendor), timeout=20)
    return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)


def _address(vendor: MusicVendor) -> tuple[str, int]:
    _, host, port = vendor.origin.split(":")
    return host.strip("/"), int(port)


def _create_request() -> bytes:
    body = json.dumps(SONG).encode()
    head = (
        f"POST {CREATE_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
