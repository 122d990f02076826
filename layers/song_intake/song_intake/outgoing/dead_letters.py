"""Dead letters: a copy of the message as it arrived, with the reason in its attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of, is_refusal
from song_intake.aws.signing_key import KeyUnavailable
from song_intake.contract.sqs_message import Origin
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.attributes import attributes_of, group_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import DeadLetter
    from song_intake.domain.trace import Trace


class DeadLetters:
    """Safe to share between threads. A letter is sent before its message is acknowledged, so it may arrive twice.

    The template gives the request queue a lower size limit, so there is room for the attributes beside any body.
    """

    def __init__(
        self, sqs: SQSClient, queue_url: str, proofs: Proofs, on_refused: Callable[[str], None] = lambda _code: None
    ) -> None:
        """on_refused: called with AWS's error code if the queue refused a letter for good."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._proofs = proofs
        self._on_refused = on_refused

    def send(self, message: Message, letter: DeadLetter, request_id: str | None, trace: Trace | None = None) -> None:
        """Raises SideEffectFailed. The trace and the caller's other attributes are kept as far as there is room."""
        origin = Origin(
            letter.reason.value,
            message.first_message_id,
            # Known even if the body cannot be read any more, after a stricter contract was deployed.
            request_id=request_id or message.known_request_id,
            task_id=letter.task_id or message.known_task_id,
            sender=message.sender,
        )
        own = {
            "detail": letter.detail,
            "http_status": None if letter.http_status is None else str(letter.http_status),
            "vendor_code": letter.vendor_code,
            "receive_count": str(message.receive_count),
        }
        try:
            attributes = attributes_of(message, self._proofs.attributes(origin, message.body) | own, trace)
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                MessageAttributes=attributes,
                **group_of(message),
            )
        except KeyUnavailable as failure:
            # Without a proof, a redrive of the letter would make it a new request.
            raise SideEffectFailed(Reason.SIGNING_KEY_UNAVAILABLE, str(failure)) from None
        except AWS_FAILURES as failure:
            is_for_good = is_refusal(failure)
            if is_for_good:
                self._on_refused(code_of(failure))
            code = code_of(failure)
            raise SideEffectFailed(Reason.DEAD_LETTER_QUEUE_UNAVAILABLE, code, for_good=is_for_good) from None
