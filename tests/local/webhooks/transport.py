"""The routing of webhooks on this machine: from a URL to a port of 127.0.0.1, never to another host."""

import http.client
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tests.local.vendor.server import HOST

SECONDS_TO_ANSWER: Final = 10.0
_LOOPBACK_NAMES: Final = frozenset({HOST, "localhost"})


class UrlRefused(Exception):
    """The URL is invalid or leads to another machine; the message has the cause."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A port of 127.0.0.1: no other address is possible.

    `target` is the request target: path and query as in the URL. Without a `ca_bundle` TLS trusts the authorities of
    the system.
    """

    port: int
    host_header: str
    target: str
    tls: bool = True
    ca_bundle: Path | None = None


WebhookTransport = Callable[[str], Destination]
"""Maps the URL of a webhook to its destination. Raises UrlRefused."""


def loopback(ca_bundle: Path | None = None) -> WebhookTransport:
    """URLs whose host is 127.0.0.1 or localhost, https or http."""

    def find(url: str) -> Destination:
        parts = _parts(url)
        if parts.hostname not in _LOOPBACK_NAMES:
            raise UrlRefused(f"the host {parts.hostname!r} is not this machine")
        tls = parts.scheme == "https"
        return Destination(parts.port or (443 if tls else 80), _host_header(parts), _target(parts), tls, ca_bundle)

    return find


def local_cloud(port: int, ca_bundle: Path, domain: str = f"execute-api.{HOST}") -> WebhookTransport:
    """URLs of HTTP APIs, `https://<api id>.<domain>/...`, at the endpoint of the local cloud; and those of loopback.

    These host names do not resolve: the endpoint of the cloud accepts the calls and selects the API by the Host header,
    `<api id>.execute-api.<host of the endpoint>:<port>`. `domain` is the one that the template results in.
    """
    otherwise = loopback(ca_bundle)

    def find(url: str) -> Destination:
        parts = _parts(url)
        api_id, _, domain_of_url = (parts.hostname or "").partition(".")
        if not (api_id and domain_of_url == domain):
            return otherwise(url)
        return Destination(port, f"{api_id}.execute-api.{HOST}:{port}", _target(parts), ca_bundle=ca_bundle)

    return find


def send_request(destination: Destination, method: str, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> int:
    """Sends the request unchanged and returns the status of the response, without redirects and without a proxy.

    Header values may be invalid bytes. Raises OSError or http.client.HTTPException.
    """
    connection = _connection(destination)
    try:
        connection.putrequest(method, destination.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", destination.host_header)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _connection(destination: Destination) -> http.client.HTTPConnection:
    if not destination.tls:
        return http.client.HTTPConnection(HOST, destination.port, timeout=SECONDS_TO_ANSWER)
    context = ssl.create_default_context(cafile=destination.ca_bundle)
    return http.client.HTTPSConnection(HOST, destination.port, timeout=SECONDS_TO_ANSWER, context=context)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError as error:
        raise UrlRefused(f"the URL cannot be read: {error}") from error
    if parts.scheme not in {"https", "http"}:
        raise UrlRefused(f"the scheme {parts.scheme!r} is not http or https")
    return parts


def _host_header(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path
