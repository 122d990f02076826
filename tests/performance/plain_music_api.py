"""The client of the music API without TLS, only for the benchmark: the real one never sends the token unencrypted.

Only `connect` differs. The requests, and the reading of the responses, are those of the real client.
"""

from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection

from song_intake.domain.outcome import Retryable
from song_intake.music_api import client as music_api
from song_intake.music_api.client import Connection, MusicApi


class PlainMusicApi(MusicApi):
    def connect(self) -> Connection | Retryable:
        address = urlsplit(self._origin)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=self._connect_timeout)
        connection.connect()
        return Connection(connection, self._origin, self._deadline)  # type: ignore[arg-type]  # an HTTPSConnection is one too


def without_tls() -> None:
    """Make every handler that is imported later use the client without TLS."""
    music_api.MusicApi = PlainMusicApi  # type: ignore[misc]
