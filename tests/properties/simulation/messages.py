"""The messages at the start of a schedule: with and without a request_id, wrapped, repeated and conflicting."""

import json
from collections.abc import Mapping
from enum import StrEnum

from song_intake.contract.song_request import SongRequest
from tests.properties.simulation.queues import Sent
from tests.properties.simulation.world import World


class Kind(StrEnum):
    WITHOUT_ID = "without a request_id"
    WITH_ID = "with a request_id"
    SAME_AGAIN = "the same request_id and song"
    OTHER_SONG = "the same request_id, another song"
    BY_SNS = "wrapped by SNS, without a request_id"
    BY_SNS_AGAIN = "the same SNS notification"
    INVALID = "not a song request"
    DATED = "with a request_id and a not_after"
    DATED_AGAIN = "the same request_id and song, with a later not_after"
    UNDATED = "the same request_id and song, without a not_after"


WITHOUT_DEADLINES = tuple(kind for kind in Kind if "not_after" not in kind)
SECONDS_LEFT = {Kind.DATED: 15.0, Kind.DATED_AGAIN: 500.0, Kind.UNDATED: None}


def send(world: World, kind: Kind) -> None:
    """Put one message of this kind on the queue."""
    name = f"message {len(world.sent) + 1}"
    match kind:
        case Kind.WITHOUT_ID:
            message_id = f"first-{len(world.sent) + 1}"
            sent = Sent(name, message_id, song=name)
            _enqueue(world, sent, _song(sent), message_id)
        case Kind.WITH_ID | Kind.SAME_AGAIN:
            sent = Sent(name, "own-id", song="one song", has_own_id=True)
            _enqueue(world, sent, _song(sent) | {"request_id": "own-id"})
        case Kind.OTHER_SONG:
            sent = Sent(name, "own-id", song="another song", has_own_id=True)
            _enqueue(world, sent, _song(sent) | {"request_id": "own-id"})
        case Kind.BY_SNS | Kind.BY_SNS_AGAIN:
            sent = Sent(name, "notification", song="a song by SNS", has_own_id=True)
            envelope = {"Type": "Notification", "TopicArn": "arn:simulated", "MessageId": "notification"}
            _enqueue(world, sent, envelope | {"Message": json.dumps(_song(sent))})
        case Kind.DATED | Kind.DATED_AGAIN | Kind.UNDATED:
            seconds = SECONDS_LEFT[kind]
            not_after = None if seconds is None else world.now + seconds
            sent = Sent(name, "dated-id", song="a dated song", has_own_id=True, not_after=not_after)
            dated = {} if not_after is None else {"not_after": not_after}
            _enqueue(world, sent, _song(sent) | {"request_id": "dated-id"} | dated)
        case Kind.INVALID:
            sent = Sent(name, "none", song="none", valid=False)
            _enqueue(world, sent, {"sond": "a typo"})


def _song(sent: Sent) -> dict[str, object]:
    return {"sound": "simulated", "title": sent.song}


def _enqueue(world: World, sent: Sent, document: Mapping[str, object], message_id: str | None = None) -> None:
    body = json.dumps(document)
    message = world.queues.send(sent, body, message_id)
    world.sent.append(sent)
    world.note(f"{message.message_id} is sent: {sent.song!r} under {sent.request_id!r}")
    if sent.valid:
        world.fingerprints[sent.song] = SongRequest.parse(body, message.message_id).fingerprint
