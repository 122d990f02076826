"""One create through the client, and clients that trust an authority of the test's own."""

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
    line = api.connect()
    assert isinstance(line, Connection)
    with line:
        return line.create(BODY, token)


def trusting(authority: trustme.CA, origin: str, deadline: float = 2) -> MusicApi:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return MusicApi(origin, context, connect_timeout=2, deadline=deadline)
