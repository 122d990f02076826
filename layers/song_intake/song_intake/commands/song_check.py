"""The one check that is paid for: a song, its duplicate, and its end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from song_intake.commands.checkup import CheckFailed, Finding, failed, passed
from song_intake.commands.deployed import new_doctor_id
from song_intake.domain.status import FINAL, Status

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from song_intake.commands.deployed import DeployedStack

# More than the check waits for the duplicate.
_LOG_SECONDS = 600

SONG = {"title": "A Visit of the Doctor", "sound": "short calm piano piece, instrumental"}


def check_song(stack: DeployedStack) -> Finding:
    """Send one request twice, and wait for the end of its song. The row stays: it is the record of what was paid."""
    stack.require_open_intake()
    sqs, request_id = stack.session.client("sqs"), new_doctor_id("song")
    _send(stack, sqs, request_id)
    submitted = stack.wait_for(lambda: _row_with_task(stack, request_id), stack.waiting.song)
    if submitted is None:
        row = stack.row_attributes(request_id)
        status = f"{row.get('status')} ({row.get('reason')})" if row else "not in the ledger"
        raise CheckFailed(
            f"request {request_id} is {status}: read submit_song's log and the dead letters; do not resend"
        )
    duplicate = _send(stack, sqs, request_id)
    logs = stack.session.client("logs")
    if not stack.wait_for(lambda: _is_logged(logs, stack.outputs["SubmitSongLogGroup"], duplicate)):
        raise CheckFailed(f"submit_song logged no duplicate for message {duplicate}: read its log")
    ended = stack.wait_for(lambda: _ended_row(stack, request_id), stack.waiting.song)
    if ended is None:
        raise CheckFailed(f"request {request_id} has not ended: read the log of track_song; its row shows the end")
    if ended.get("attempt") != "1" or ended.get("other_task_ids") or ended["task_id"] != submitted["task_id"]:
        return failed(f"request {request_id} may have been created twice: ask the vendor, and report it to the project")
    if ended["status"] != Status.SUCCEEDED:
        return failed(f"the song {ended['task_id']} FAILED ({ended.get('vendor_code', 'no code')}): ask the vendor")
    return passed(
        f"one song was created, its duplicate was not, and it is {ended['status']}: the row {request_id} stays"
    )


def _send(stack: DeployedStack, sqs: SQSClient, request_id: str) -> str:
    """The id of the message."""
    body = json.dumps({"request_id": request_id, **SONG})
    return sqs.send_message(QueueUrl=stack.outputs["SongRequestsQueueUrl"], MessageBody=body)["MessageId"]


def _row_with_task(stack: DeployedStack, request_id: str) -> dict[str, object] | None:
    row = stack.row_attributes(request_id)
    if row.get("status") == Status.REJECTED:
        raise CheckFailed(f"the request was rejected ({row.get('reason')}): read its dead letter {request_id}")
    return row if "task_id" in row else None


def _ended_row(stack: DeployedStack, request_id: str) -> dict[str, object] | None:
    row = stack.row_attributes(request_id)
    return row if row["status"] in FINAL else None


def _is_logged(logs: CloudWatchLogsClient, group: str, message_id: str) -> bool | None:
    """Whether submit_song logged this message as a duplicate."""
    since = int((time.time() - _LOG_SECONDS) * 1000)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=f'"{message_id}"', startTime=since
    )
    return any('"duplicate"' in event["message"] for page in pages for event in page["events"]) or None
