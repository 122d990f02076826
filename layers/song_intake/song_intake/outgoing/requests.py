"""The request queue, from the stack's side: a message that must not use up its receives is sent anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.aws.signing_key import KeyUnavailable
from song_intake.contract.sqs_message import FIRST_SENT_AT, Origin
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.attributes import attributes_of, group_of
from song_intake.outgoing.checks import LONGEST_DELAY_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import SendAnew


class RequestQueue:
    """Safe to share between threads. The copy is sent before its message is acknowledged, so it may arrive twice: the
    ledger recognises the duplicate by the first ids that both carry.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, proofs: Proofs) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._proofs = proofs

    def hidden(self) -> int | None:
        """About how many messages are hidden. None: SQS did not answer."""
        name: QueueAttributeNameType = "ApproximateNumberOfMessagesNotVisible"
        try:
            attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=[name])["Attributes"]
        except AWS_FAILURES:
            return None
        return int(attributes[name])

    def send_anew(
        self, message: Message, decision: SendAnew, request_id: str | None, task_id: str | None = None
    ) -> None:
        """Raises SideEffectFailed. The delay is at most SQS's 15 minutes. task_id: a task that is not recorded yet."""
        origin = Origin(
            decision.reason.value,
            message.first_message_id,
            request_id=request_id or message.known_request_id,
            task_id=task_id or message.known_task_id,
            sent_anew_for=message.delivery_id,
            sender=message.sender,
        )
        try:
            own = self._proofs.attributes(origin, message.body)
            own[FIRST_SENT_AT] = str(round(message.first_sent_at * 1000))
            attributes = attributes_of(message, own, message.trace)
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=min(int(decision.seconds), LONGEST_DELAY_SECONDS),
                MessageAttributes=attributes,
                **group_of(message),
            )
        except KeyUnavailable as failure:
            # Without a proof, the new message would be a new request.
            raise SideEffectFailed(Reason.SIGNING_KEY_UNAVAILABLE, str(failure)) from None
        except AWS_FAILURES as failure:
            raise SideEffectFailed(Reason.REQUEST_QUEUE_UNAVAILABLE, code_of(failure)) from None
