"""One create through the client, and clients that trust the certificate authority of a test."""

import json
import ssl

import trustme

from song_intake.contract.song_request import SongRequest
from song_intake.domain.outcome import Outcome
from song_intake.music_api.client import Connection, MusicApi
from tests.conftest import TOKEN

TITLE = "Night Train"
LYRICS = "canary lyrics"
BODY = SongRequest.parse(json.dumps({"title": TITLE, "sound": "slow blues", "lyrics": LYRICS}), "m-1").create_body


def create(api: MusicApi, token: str = TOKEN) -> Outcome:
    connection = api.connect()
    assert isinstance(connection, Connection)
    with connection:
        return connection.create(BODY, token)


def trusting(authority: trustme.CA, origin: str, deadline: float = 2) -> MusicApi:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return MusicApi(origin, context, connect_timeout=2, deadline=deadline)
