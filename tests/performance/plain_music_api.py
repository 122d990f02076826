"""The client of the music API without TLS, only for the benchmark: the real one never sends the token unencrypted.

Only connecting and the bytes on the wire differ. The requests, and the reading of the responses, are those of the real
client.
"""

import socket
from urllib.parse import urlsplit

from urllib3.connection import HTTPSConnection

from song_intake.domain.outcome import Retryable
from song_intake.music_api import client as music_api
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.deadline import Deadline
from song_intake.music_api.tls_stream import TlsStream


class PlainStream(TlsStream):
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._socket.settimeout(deadline.left())
        self._socket.sendall(data)

    def read(self, most_bytes: int, deadline: Deadline) -> bytes:
        self._socket.settimeout(deadline.left())
        return self._socket.recv(most_bytes)


class PlainMusicApi(MusicApi):
    def connect(self) -> Connection | Retryable:
        address = urlsplit(self._origin)
        host, port = address.hostname or "", address.port or 80
        connected = socket.create_connection((host, port), self._connect_timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # It is given its open socket, so it never connects by itself.
        return Connection(PlainStream(connected), HTTPSConnection(host, port), self._origin, self._deadline)


def without_tls() -> None:
    """Make every handler that is imported later use the client without TLS."""
    music_api.MusicApi = PlainMusicApi  # type: ignore[misc]
