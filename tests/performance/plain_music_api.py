"""Our client of the music API without TLS, for the benchmark alone: the real one never sends the token in the clear.

Only connecting differs. What is sent, how it is read and what an answer means is the real client's.
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
    """From here on, a handler that is imported is wired with the plain client."""
    music_api.MusicApi = PlainMusicApi  # type: ignore[misc]
