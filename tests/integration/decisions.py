"""The decision about one record, as a batch makes it, without the batch."""

from song_intake.contract.sqs_message import SqsRecord
from song_intake.domain.decision import DeadLetter, Decision, RetryIn
from song_intake.work.batch import TimeLeft
from song_intake.work.submission import Submission
from tests.integration.bench import Bench, delivery, plenty_of_time, record_of, song
from tests.signing import signed

# The title of every song here. The vendor's behaviour is planned by it.
TITLE = "Night Train"


def decide(submission: Submission, record: SqsRecord, time_left: TimeLeft = plenty_of_time) -> Decision:
    return submission.decide(*delivery(record), time_left)


def record(request_id: str, message_id: str = "message-1", receives: int = 1, **fields: object) -> SqsRecord:
    return record_of(song(TITLE, request_id, **fields), message_id=message_id, receives=receives)


def redriven(record: SqsRecord, letter: DeadLetter, request_id: str) -> SqsRecord:
    """The dead letter of a record after a redrive: with our attributes and a new message id."""
    attributes = {"reason": letter.reason.value, "first_message_id": record["messageId"], "request_id": request_id}
    if letter.task_id:
        attributes["task_id"] = letter.task_id
    return record_of(record["body"], attributes=signed(record["body"], attributes))


def letter_in(decision: Decision) -> DeadLetter:
    assert isinstance(decision, DeadLetter)
    return decision


def retry_in(decision: Decision) -> RetryIn:
    assert isinstance(decision, RetryIn)
    return decision


def abandon(bench: Bench, request_id: str) -> None:
    """Leaves the row as a function leaves it that crashes during the create call."""
    request, message = delivery(record(request_id))
    bench.ledger().claim(request, message.message_id)
