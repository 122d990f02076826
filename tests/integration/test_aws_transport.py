"""How the AWS clients send, to real local servers: the connections they reuse, whom they trust, how they fail."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import trustme
from botocore import exceptions
from botocore.awsrequest import AWSRequest

from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.aws.transport import AwsTransport
from tests.integration.raw_tls_server import HOST, serving

ServerTls = Callable[[str], ssl.SSLContext]

SECRET = b'{"SecretString": "the-secret"}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SECRET), SECRET)
CUT = WHOLE[:-5]


class CountingContext(ssl.SSLContext):
    """Counts how often certificate authorities are loaded into it."""

    loads: ClassVar[int] = 0

    def load_verify_locations(self, *args: object, **kwargs: object) -> None:
        type(self).loads += 1
        super().load_verify_locations(*args, **kwargs)  # type: ignore[arg-type]


class Secrets(BaseHTTPRequestHandler):
    """Answers every call with the secret, and keeps the connection open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(SECRET)))
        self.end_headers()
        self.wfile.write(SECRET)

    def log_message(self, *_: object) -> None:
        pass


class SecretsServer(ThreadingHTTPServer):
    connections = 0

    def get_request(self) -> tuple[socket.socket, object]:
        self.connections += 1
        return super().get_request()


@pytest.fixture(autouse=True)
def an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def trusting(own_authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=own_authority.cert_pem.bytes().decode())
    assert context.check_hostname
    return context


@pytest.fixture
def authority_file(own_authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    own_authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def secrets_server() -> Iterator[SecretsServer]:
    server = SecretsServer((HOST, 0), Secrets)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def secret(tls: ssl.SSLContext, calls: int = 1, seconds: float = 8) -> str:
    """The secret, as a client of AWS_ENDPOINT_URL reads it."""
    client = AwsClients(tls, seconds, connections=2).client("secretsmanager")
    answers = [client.get_secret_value(SecretId="token") for _ in range(calls)]
    return str(answers[-1]["SecretString"])


def sent(origin: str, tls: ssl.SSLContext, seconds: float = 5) -> bytes:
    """The response to one request, without retries."""
    transport = AwsTransport(tls, timeout=seconds, connections=1)
    return transport.send(AWSRequest("POST", f"{origin}/", data=b"{}").prepare()).content


def test_calls_one_after_another_share_a_connection(
    secrets_server: SecretsServer, tls_server: ServerTls, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets_server.socket = tls_server(HOST).wrap_socket(secrets_server.socket, server_side=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{HOST}:{secrets_server.server_port}")
    assert secret(trusting, calls=3) == "the-secret"
    assert secrets_server.connections == 1


def test_an_endpoint_without_tls_is_called_as_well(
    secrets_server: SecretsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{secrets_server.server_port}")
    assert secret(ssl_context(None), calls=2) == "the-secret"
    assert secrets_server.connections == 1


class SlowServices(Secrets):
    """Answers every call after 0.5 s, also S3's."""

    def do_POST(self) -> None:
        time.sleep(0.5)
        super().do_POST()

    def do_PUT(self) -> None:
        time.sleep(0.5)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_a_part_of_a_large_object_has_a_time_out_of_its_own(
    secrets_server: SecretsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets_server.RequestHandlerClass = SlowServices
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{secrets_server.server_port}")
    aws = AwsClients(ssl_context(None), seconds=1.2, connections=1, s3_seconds=30)
    with pytest.raises(exceptions.ReadTimeoutError):
        aws.client("secretsmanager").get_secret_value(SecretId="token")
    aws.client("s3").put_object(Bucket="recordings", Key="songs/order-1/clip-1.m4a", Body=b"")


def test_a_new_connection_does_not_load_the_authorities_again(
    tls_server: ServerTls, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = CountingContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(authority_file)
    # The server closes after each response, as AWS does while a function is frozen. Each call opens a connection.
    with serving(tls_server(HOST), [WHOLE]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.origin)
        assert secret(tls, calls=3) == "the-secret"
        assert server.connections == 3
    assert CountingContext.loads == 1


def test_botocore_retries_a_call_whose_response_was_cut_off(
    tls_server: ServerTls, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([CUT, WHOLE])

    class OneAnswerEach:
        def __iter__(self) -> Iterator[bytes]:
            yield next(answers)

    with serving(tls_server(HOST), OneAnswerEach()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.origin)
        assert secret(trusting) == "the-secret"
        assert server.connections == 2


def test_either_variable_sets_the_authority(
    tls_server: ServerTls, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tls_server(HOST), [WHOLE]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.origin)
        assert secret(ssl_context(str(authority_file))) == "the-secret"
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority_file))
        assert secret(ssl_context(None)) == "the-secret"


@pytest.mark.parametrize(
    ("name", "trusted"), [("elsewhere.example", "its own"), (HOST, "public ones")], ids=["name", "authority"]
)
def test_nothing_is_sent_to_a_server_that_is_not_trusted(
    name: str, trusted: str, tls_server: ServerTls, trusting: ssl.SSLContext
) -> None:
    tls = trusting if trusted == "its own" else ssl_context(None)
    with serving(tls_server(name), [WHOLE]) as server, pytest.raises(exceptions.SSLError):
        sent(server.origin, tls)
    assert (server.connections, bytes(server.received)) == (1, b"")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param([], exceptions.ConnectionClosedError, id="none"),
        pytest.param([CUT], exceptions.ConnectionClosedError, id="cut short"),
        pytest.param([b"no HTTP at all\r\n\r\n"], exceptions.ConnectionClosedError, id="not HTTP"),
    ],
)
def test_an_invalid_response_raises_botocores_exception(
    answer: Iterable[bytes], error: type[Exception], tls_server: ServerTls, trusting: ssl.SSLContext
) -> None:
    with serving(tls_server(HOST), answer) as server, pytest.raises(error):
        sent(server.origin, trusting)
    assert server.received.startswith(b"POST / HTTP/1.1\r\n")


def test_a_stalled_response_times_out(tls_server: ServerTls, trusting: ssl.SSLContext) -> None:
    done = threading.Event()

    class Stalled:
        def __iter__(self) -> Iterator[bytes]:
            yield WHOLE[:10]
            done.wait(10)

    with serving(tls_server(HOST), Stalled()) as server:
        with pytest.raises(exceptions.ReadTimeoutError):
            sent(server.origin, trusting, seconds=0.05)
        done.set()


def test_a_slow_connect_and_a_slow_response_share_one_time_out(tls_server: ServerTls, trusting: ssl.SSLContext) -> None:
    seconds = 2.0

    class Late:
        def __iter__(self) -> Iterator[bytes]:
            time.sleep(0.7 * seconds)
            yield WHOLE

    with serving(tls_server(HOST), Late(), handshake_after=0.7 * seconds) as server:
        began = time.monotonic()
        with pytest.raises(exceptions.ReadTimeoutError):
            sent(server.origin, trusting, seconds=seconds)
        assert time.monotonic() - began < 1.35 * seconds
        assert server.received.startswith(b"POST / HTTP/1.1\r\n"), "the connect was in time"


def test_a_closed_port_raises_botocores_exception(trusting: ssl.SSLContext) -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(exceptions.EndpointConnectionError):
        sent(f"https://{HOST}:{port}", trusting)


def test_a_missing_handshake_times_out(trusting: ssl.SSLContext) -> None:
    began = time.monotonic()
    with socket.create_server((HOST, 0)) as silent, pytest.raises(exceptions.ReadTimeoutError):
        sent(f"https://{HOST}:{silent.getsockname()[1]}", trusting, seconds=0.05)
    assert time.monotonic() - began < 5


def test_a_server_that_accepts_no_connection_times_out(trusting: ssl.SSLContext) -> None:
    # One connection fills the backlog, so Linux does not answer another.
    with (
        socket.create_server((HOST, 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),
        pytest.raises(exceptions.ConnectTimeoutError),
    ):
        sent(f"https://{HOST}:{full.getsockname()[1]}", trusting, seconds=0.05)


def test_any_other_error_is_an_http_client_error(trusting: ssl.SSLContext) -> None:
    with pytest.raises(exceptions.HTTPClientError):
        sent(f"ftp://{HOST}", trusting)
