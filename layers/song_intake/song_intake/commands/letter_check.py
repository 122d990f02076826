"""Checks that an invalid request becomes a dead letter with its reason, and removes that letter."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from song_intake.commands.checkup import CheckFailed, Finding, failed, passed
from song_intake.commands.deployed import new_doctor_id
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from song_intake.commands.deployed import DeployedStack

_MOST_MESSAGES = 10
_LONGEST_POLL_SECONDS = 5

_SHORT_POLLS = 5


def check_dead_letter(stack: DeployedStack) -> Finding:
    """Send an invalid request, wait for its letter, and delete the letter."""
    stack.require_open_intake()
    sqs = stack.session.client("sqs")
    body = json.dumps({"request_id": new_doctor_id("letter"), "sound": 0})
    message_id = sqs.send_message(QueueUrl=stack.outputs["SongRequestsQueueUrl"], MessageBody=body)["MessageId"]
    letters = _Letters(sqs, stack.outputs["DeadLetterQueueUrl"], message_id)
    letter = letters.wait_for_own(stack.waiting.short)
    if letter is None:
        raise CheckFailed(_missing(stack, sqs, letters, message_id))
    try:
        observed = letters.observed_short_polls(letter)
    finally:
        letters.delete()
    reason = _text(letter, "reason")
    if reason != Reason.INVALID_REQUEST:
        return failed(f"the letter has {reason or 'no'} reason instead of INVALID_REQUEST: read submit_song's log")
    if _text(letter, "proof") is None:
        return failed("the letter has no proof: deploy this release, which signs letters")
    return passed(f"an invalid request became a dead letter with {reason}, which was deleted", observed)


def _missing(stack: DeployedStack, sqs: SQSClient, letters: _Letters, message_id: str) -> str:
    waiting = sqs.get_queue_attributes(
        QueueUrl=stack.outputs["SongRequestsQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    return (
        f"no letter of message {message_id} after {stack.waiting.short:.0f} s, among {letters.others} others; "
        f"{waiting} requests wait. Read submit_song's log; the letter may still come, and may be deleted"
    )


class _Letters:
    """The dead-letter queue, searched for the letter of one message. Other letters are shown again at once."""

    def __init__(self, sqs: SQSClient, url: str, message_id: str) -> None:
        self._sqs = sqs
        self._url = url
        self._message_id = message_id
        self._handle = ""
        self.others = 0
        """How many other letters were read."""

    def wait_for_own(self, seconds: float) -> MessageTypeDef | None:
        hidden: list[str] = []
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                found = self._receive(wait=_LONGEST_POLL_SECONDS, hide=round(seconds) + 30)
                own = next(filter(self._is_own, found), None)
                hidden += [letter["ReceiptHandle"] for letter in found if letter is not own]
                if own is not None:
                    self._handle = own["ReceiptHandle"]
                    return own
            return None
        finally:
            self.others = len(hidden)
            self._show_again(hidden)

    def observed_short_polls(self, letter: MessageTypeDef) -> str:
        """How often a short poll returned a letter that was there all the time."""
        self._show_again([letter["ReceiptHandle"]])
        counts = {"own": 0, "none": 0}
        for _ in range(_SHORT_POLLS):
            found = self._receive(wait=0, hide=0)
            own = next(filter(self._is_own, found), None)
            if own is not None:
                self._handle = own["ReceiptHandle"]
            counts["own"] += own is not None
            counts["none"] += not found
        return (
            f"{counts['own']} of {_SHORT_POLLS} short polls returned a letter that was on the queue all the time; "
            f"{counts['none']} came back empty"
        )

    def delete(self) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._handle)

    def _receive(self, *, wait: int, hide: int) -> list[MessageTypeDef]:
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_MOST_MESSAGES,
            WaitTimeSeconds=wait,
            VisibilityTimeout=hide,
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def _is_own(self, letter: MessageTypeDef) -> bool:
        """SQS keeps the id of a message that it moves itself; the function sends a letter as a new message."""
        return self._message_id in (letter["MessageId"], _text(letter, "first_message_id"))

    def _show_again(self, handles: list[str]) -> None:
        for start in range(0, len(handles), _MOST_MESSAGES):
            part = handles[start : start + _MOST_MESSAGES]
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(part)
                ],
            )


def _text(letter: MessageTypeDef, name: str) -> str | None:
    attributes = letter.get("MessageAttributes", {})
    return attributes[name].get("StringValue") if name in attributes else None
