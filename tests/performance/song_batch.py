"""The batches that every design handles: an SQS event of songs that were not requested before, and its context."""

import itertools
import json
import os
from dataclasses import dataclass

from song_intake.contract.sqs_message import SqsEvent, SqsRecord

LYRICS = "[Verse]\nNumber the windows, number the doors\n[Chorus]\nCall me by one name and call me once more\n" * 8

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Context:
    """The Lambda context of an invocation."""

    function_name: str = "submit-song"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:submit-song"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 240_000


def batch_of(size: int) -> SqsEvent:
    """Requests for new songs, each with 800 characters of lyrics."""
    return {"Records": [_record(f"bench-song-{os.getpid()}x{next(_numbers)}") for _ in range(size)]}


def titles_of(event: SqsEvent) -> list[str]:
    return [json.loads(record["body"])["title"] for record in event["Records"]]


def _record(title: str) -> SqsRecord:
    request = {
        "request_id": title,
        "title": title,
        "sound": "slow folk, nylon guitar, a warm low voice",
        "lyrics": LYRICS,
        "metadata": {"customer": "c-1042"},
    }
    record: dict[str, object] = {
        "messageId": f"message-{title}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(request),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1790000000000",
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": "1790000000001",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:song-requests",
        "awsRegion": "us-east-1",
    }
    return record  # type: ignore[return-value]  # with more fields than this handler reads: Powertools needs them
