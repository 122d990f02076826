"""Handles the events of a song intake stack: the outcome of each request goes into a table.

Events come at least once and in any order. One conditional write makes a repeat, or an event that comes too late,
change nothing. Fields and types of event that a later version adds are ignored.
"""

import json
import os
from typing import Any

import boto3

# A higher rank replaces a lower one: SUCCEEDED is final, also after FAILED or IN_DOUBT.
RANKS = {"IN_DOUBT": 1, "FAILED": 2, "REJECTED": 2, "SUCCEEDED": 3}

_table = boto3.resource("dynamodb").Table(os.environ["SONGS_TABLE"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one batch of the queue. A message that failed comes again, and after five times it is a dead letter."""
    failed = []
    for record in event["Records"]:
        try:
            song = json.loads(record["body"])["detail"]
            outcome = "recorded" if record_outcome(song) else "nothing to do"
            print(f"{song.get('request_id')} {song['status']}: {outcome}")
        except Exception as error:  # one message must not fail the others
            print(f"the message {record['messageId']} failed: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def record_outcome(song: dict[str, Any]) -> bool:
    """Whether the event changed what is known of its request."""
    if song["status"] not in RANKS:
        # Also MESSAGE_REJECTED, which is about one message: the song of its request_id may be on its way.
        return False
    try:
        _table.update_item(
            Key={"request_id": song["request_id"]},
            UpdateExpression="SET song_status = :status, song_rank = :rank, reason = :reason, links = :links",
            ConditionExpression="attribute_not_exists(song_rank) OR song_rank < :rank",
            ExpressionAttributeValues={
                ":status": song["status"],
                ":rank": RANKS[song["status"]],
                ":reason": song.get("reason", ""),
                ":links": [clip["audio_url"] for clip in song["clips"] if "audio_url" in clip],
            },
        )
    except _table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True
