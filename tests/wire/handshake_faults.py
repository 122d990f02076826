"""Faults before the handshake is done: nothing of a request may be on the wire."""

import datetime
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import trustme

from tests.wire.hostile_server import HOST, Handler, HostileServer, reset

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
"""A fatal alert: handshake failure."""

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class HandshakeFault:
    """`handler` makes the server's part, given the authority that the client trusts. `outlasts`: the limit ends it."""

    name: str
    handler: Callable[[trustme.CA], Handler]
    outlasts: bool = False


def _plain(
    *parts: bytes, hello: bool = True, stays: bool = False, resets: bool = False
) -> Callable[[trustme.CA], Handler]:
    """These bytes in the clear, after the client's first message or before it."""

    def handle(connection: socket.socket, server: HostileServer) -> None:
        if hello:
            server.read_some(connection)
        for part in parts:
            connection.sendall(part)
        if resets:
            reset(connection)
        elif stays:
            server.wait_for_the_client_to_leave(connection)

    return lambda _: handle


def _endless(part: bytes) -> Callable[[trustme.CA], Handler]:
    """For 3 s at most: a client without a limit must not hold up the tests."""

    def handle(connection: socket.socket, server: HostileServer) -> None:
        server.read_some(connection)
        ends_at = time.monotonic() + 3
        while time.monotonic() < ends_at:
            connection.sendall(part)

    return lambda _: handle


def _drip(data: bytes) -> Callable[[trustme.CA], Handler]:
    def handle(connection: socket.socket, server: HostileServer) -> None:
        server.read_some(connection)
        server.drip(connection, data)

    return lambda _: handle


def _tls(configure: Callable[[trustme.CA, ssl.SSLContext], None]) -> Callable[[trustme.CA], Handler]:
    """A real handshake, with this certificate or these settings; then everything that the client sends is kept."""

    def handler(authority: trustme.CA) -> Handler:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        configure(authority, context)

        def handle(plain: socket.socket, server: HostileServer) -> None:
            with context.wrap_socket(plain, server_side=True) as connection:
                server.wait_for_the_client_to_leave(connection)

        return handle

    return handler


def _unknown_authority(_authority: trustme.CA, context: ssl.SSLContext) -> None:
    trustme.CA().issue_cert(HOST).configure_cert(context)


def _self_signed(_authority: trustme.CA, context: ssl.SSLContext) -> None:
    own = trustme.CA()
    with own.private_key_pem.tempfile() as key, own.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)


def _another_host(authority: trustme.CA, context: ssl.SSLContext) -> None:
    authority.issue_cert("api.example.com", "127.0.0.2").configure_cert(context)


def _expired(authority: trustme.CA, context: ssl.SSLContext) -> None:
    authority.issue_cert(HOST, not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(1)).configure_cert(context)


def _not_yet_valid(authority: trustme.CA, context: ssl.SSLContext) -> None:
    begins = datetime.datetime.now(datetime.UTC) + datetime.timedelta(2)
    authority.issue_cert(HOST, not_before=begins, not_after=begins + datetime.timedelta(1)).configure_cert(context)


def _only(version: ssl.TLSVersion) -> Callable[[trustme.CA, ssl.SSLContext], None]:
    def configure(authority: trustme.CA, context: ssl.SSLContext) -> None:
        authority.issue_cert(HOST).configure_cert(context)
        # Level 0 is where OpenSSL still offers the old versions.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version

    return configure


def _wants_a_certificate(authority: trustme.CA, context: ssl.SSLContext) -> None:
    """In TLS 1.2 the server's refusal is part of the handshake."""
    authority.issue_cert(HOST).configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED


# Messages without a meaning, which TLS 1.2 lets a client ignore. Many at once, so that one is always there to read.
HELLO_REQUESTS = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 10_000

# A record that promises 16 KiB of a handshake, and their first bytes.
BEGUN_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"

HANDSHAKE_FAULTS = (
    HandshakeFault("ends before a byte", _plain(hello=False)),
    HandshakeFault("resets before a byte", _plain(hello=False, resets=True)),
    HandshakeFault("ends after the client's first message", _plain()),
    HandshakeFault("resets after the client's first message", _plain(resets=True)),
    HandshakeFault("never answers", _plain(hello=False, stays=True), outlasts=True),
    HandshakeFault("never answers the client's first message", _plain(stays=True), outlasts=True),
    HandshakeFault("stops within a record", _plain(BEGUN_RECORD, stays=True), outlasts=True),
    HandshakeFault("drips a record", _drip(BEGUN_RECORD + bytes(999)), outlasts=True),
    HandshakeFault("drips an answer in plain HTTP", _drip(b"H" + bytes(999))),
    HandshakeFault("answers with an alert", _plain(ALERT)),
    HandshakeFault("answers with a warning for ever", _endless(b"\x15\x03\x03\x00\x02\x01\x5a")),
    HandshakeFault("answers with empty records for ever", _endless(b"\x16\x03\x03\x00\x00")),
    HandshakeFault("asks for another handshake for ever", _endless(HELLO_REQUESTS), outlasts=True),
    HandshakeFault("answers with garbage", _plain(b"garbage " * 8)),
    HandshakeFault("answers with garbage for ever", _endless(b"\x16\x03\x03\x40\x00" + b"\xff" * 16_384)),
    HandshakeFault("speaks plain HTTP", _plain(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    HandshakeFault("speaks plain HTTP first", _plain(b"HTTP/1.1 200 OK\r\n\r\n", hello=False, stays=True)),
    HandshakeFault("greets as SSH does", _plain(b"SSH-2.0-OpenSSH_9.6\r\n", hello=False, stays=True)),
    HandshakeFault("has an unknown authority", _tls(_unknown_authority)),
    HandshakeFault("has a certificate signed by itself", _tls(_self_signed)),
    HandshakeFault("has another host's certificate", _tls(_another_host)),
    HandshakeFault("has an expired certificate", _tls(_expired)),
    HandshakeFault("has a certificate that is not valid yet", _tls(_not_yet_valid)),
    HandshakeFault("speaks TLS 1.0 alone", _tls(_only(ssl.TLSVersion.TLSv1))),
    HandshakeFault("speaks TLS 1.1 alone", _tls(_only(ssl.TLSVersion.TLSv1_1))),
    HandshakeFault("wants a certificate, in TLS 1.2", _tls(_wants_a_certificate)),
)
