"""The destinations of the stand-in's webhooks: ports of this machine, which include the local cloud's HTTP APIs."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.local.vendor.server import HOST
from tests.local.webhooks.receiver import WebhookReceiver
from tests.local.webhooks.transport import Destination, UrlRefused, local_cloud, loopback, send_request

CA = Path("ca.pem")


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://127.0.0.1:8443/a/b?c=d", Destination(8443, "127.0.0.1:8443", "/a/b?c=d", tls=True, ca_bundle=CA)),
        ("https://localhost/a%2Fb", Destination(443, "localhost", "/a%2Fb", tls=True, ca_bundle=CA)),
        ("http://localhost:8080", Destination(8080, "localhost:8080", "/", tls=False, ca_bundle=CA)),
        ("https://user@localhost:1/", Destination(1, "localhost:1", "/", tls=True, ca_bundle=CA)),
    ],
)
def test_a_url_of_loopback_is_called_unchanged(url: str, destination: Destination) -> None:
    assert loopback(CA)(url) == destination


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("execute-api.127.0.0.1", "https://0a1b2c3d.execute-api.127.0.0.1:4570/song-1/0123"),
        ("execute-api.us-east-1.amazonaws.com", "https://0a1b2c3d.execute-api.us-east-1.amazonaws.com/song-1/0123"),
    ],
)
def test_an_api_of_the_local_cloud_is_called_at_the_endpoint_with_the_apis_host_name(domain: str, url: str) -> None:
    host = "0a1b2c3d.execute-api.127.0.0.1:4570"

    assert local_cloud(4570, CA, domain)(url) == Destination(4570, host, "/song-1/0123", tls=True, ca_bundle=CA)


@pytest.mark.parametrize(
    "url",
    [
        "https://0a1b2c3d.execute-api.us-east-1.amazonaws.com/song-1/0123",
        "https://execute-api.127.0.0.1/",
        "https://a.b.execute-api.127.0.0.1/",
        "https://a.execute-api.127.0.0.1.example.com/",
        "https://example.com/",
        "ftp://localhost/",
        "https://localhost:99999/",
    ],
)
def test_any_other_host_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        local_cloud(4570, CA)(url)


def test_a_request_is_sent_unchanged(tmp_path: Path) -> None:
    with WebhookReceiver(tmp_path) as receiver:
        receiver.answer_with(302)
        destination = Destination(receiver.port, "an.api.example", "/%2e%2e/a", ca_bundle=receiver.ca_bundle)

        assert send_request(destination, "POST", [("X-Odd", b"\xff\xe9")], b"{}") == 302

    (request,) = receiver.received
    assert (request.path, request.body) == ("/%2e%2e/a", b"{}")
    assert request.headers == {"host": "an.api.example", "x-odd": "\xff\xe9", "content-length": "2"}


@pytest.fixture
def plain_port() -> Iterator[int]:
    """A server without TLS that answers 204."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_destination_without_tls_is_called_by_plain_http(plain_port: int) -> None:
    assert send_request(Destination(plain_port, "localhost", "/", tls=False), "POST", [], b"{}") == 204


def test_a_receiver_with_another_authority_is_not_trusted(tmp_path: Path) -> None:
    with WebhookReceiver(tmp_path) as receiver, pytest.raises(OSError, match="certificate verify failed"):
        send_request(Destination(receiver.port, "localhost", "/"), "POST", [], b"{}")
    assert not receiver.received
