"""Sends song requests to a song intake stack in another account, with the role of template.yaml.

The queue's URL names its account and region. So it has to be the whole URL: a name is looked up in your own account.
"""

import json
import os

import boto3

QUEUE_URL = os.environ["SONG_REQUESTS_QUEUE_URL"]  # the output SongRequestsQueueUrl of that stack

_sqs = boto3.client("sqs")  # the function's region must be that of the queue; else give region_name


def handler(event: dict[str, str], _context: object) -> dict[str, str]:
    """Send one request. `order` is the id: however often the function runs for one order, it is one song."""
    request = {"request_id": event["order"], "title": event["title"], "sound": event["sound"]}
    sent = _sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=json.dumps(request))
    return {"request_id": event["order"], "message_id": sent["MessageId"]}
