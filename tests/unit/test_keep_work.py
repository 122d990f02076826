"""The work on one message of song-recordings: no failure loses it, and its last receives give it a reason."""

import json
import time
from typing import Any, cast

import pytest
from aws_lambda_powertools import Metrics

from song_intake.aws.signing_key import KeyUnavailable
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.domain.trace import Trace
from song_intake.outgoing.recording_report import RecordingReport
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.keep_work import KeepWork
from song_intake.work.own_queue_work import LAST_RECEIVES

BODY = json.dumps({"request_id": "song-1", "task_id": "task-1", "since": 0})
LETTER = DeadLetter(Reason.RECORDING_UNAVAILABLE, "why", task_id="task-1")
QUEUE_AWAY = SideEffectFailed(Reason.DEAD_LETTER_QUEUE_UNAVAILABLE, "Busy")


class Parts:
    """The keeper, the proofs and the dead letters at once. What is an exception is raised."""

    def __init__(self, decision: Decision | Exception, *, proof: Exception | None = None) -> None:
        self._decision = decision
        self._proof = proof
        self.failure: Exception | None = None
        self.letters: list[DeadLetter] = []

    def decide(self, *_: object) -> Decision:
        if isinstance(self._decision, Exception):
            raise self._decision
        return self._decision

    def read(self, message: Message) -> Message:
        if self._proof is not None:
            raise self._proof
        return message

    def send(self, _message: Message, letter: DeadLetter, request_id: str | None, trace: Trace | None) -> None:
        assert request_id == "song-1"
        if self.failure is not None:
            raise self.failure
        self.letters.append(letter)


def work_of(parts: Parts) -> KeepWork:
    of_any = cast("Any", parts)
    return KeepWork(keeper=of_any, dead_letters=of_any, proofs=of_any)


def decided(parts: Parts, body: str = BODY, receives: int = 1) -> RecordReport:
    work = work_of(parts)
    work.begin(lambda: 300)
    return work.decide(Message("m-1", "receipt", body, receives, time.time(), {}), lambda: 300)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (SideEffectFailed(Reason.EVENTS_UNAVAILABLE, "Busy"), Reason.EVENTS_UNAVAILABLE),
        (RuntimeError("secret"), Reason.UNFORESEEN),
    ],
)
def test_a_message_stays_when_a_step_fails(failure: Exception, reason: Reason) -> None:
    report = decided(Parts(failure))
    assert isinstance(report.decision, RetryIn)
    assert (report.decision.seconds, report.decision.reason, report.request_id) == (None, reason, "song-1")
    assert "secret" not in report.decision.detail
    assert bool(report.frames) is (reason is Reason.UNFORESEEN)


def test_a_message_stays_while_the_signing_key_cannot_be_read() -> None:
    report = decided(Parts(Done("task-1"), proof=KeyUnavailable("no answer", is_transient=False)))
    assert isinstance(report.decision, RetryIn)
    assert (report.decision.seconds, report.decision.reason) == (None, Reason.SIGNING_KEY_UNAVAILABLE)


def test_a_body_that_is_no_order_is_given_up_with_a_reason() -> None:
    assert decided(Parts(Done("task-1")), body="{}").decision.reason is Reason.UNFORESEEN
    last = decided(Parts(Done("task-1")), body="{}", receives=LAST_RECEIVES).decision
    assert (last.reason, isinstance(last, DeadLetter)) == (Reason.RETRIES_EXHAUSTED, True)


def test_the_last_receives_give_the_letter_its_task() -> None:
    waits = RetryIn(10, Reason.RECORDING_UNAVAILABLE, "not yet")
    assert decided(Parts(waits), receives=LAST_RECEIVES - 1).decision == waits
    last = decided(Parts(waits), receives=LAST_RECEIVES).decision
    assert last == DeadLetter(
        Reason.RETRIES_EXHAUSTED, f"given up after {LAST_RECEIVES} receives: not yet", task_id="task-1"
    )


def test_a_letter_is_sent_before_its_message_is_acknowledged() -> None:
    parts = Parts(LETTER)
    report = decided(parts)
    assert work_of(parts).perform(report) is report
    assert parts.letters == [LETTER]
    parts.failure = QUEUE_AWAY
    undone = work_of(parts).perform(report)
    assert isinstance(undone.decision, RetryIn)
    assert (undone.decision.reason, undone.failed_decision) == (Reason.DEAD_LETTER_QUEUE_UNAVAILABLE, LETTER)


def test_each_copy_is_counted_with_its_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    RecordingReport(Metrics(namespace="SongIntake", service="s")).copied("m4a", 2_000)
    written = json.loads(capsys.readouterr().out)
    assert (written["RecordingsKept"], written["RecordingBytes"], written["format"]) == ([1.0], [2000.0], "m4a")


def test_what_is_kept_needs_no_letter() -> None:
    parts = Parts(Done("task-1", ended=Keeping.KEPT))
    report = decided(parts)
    assert work_of(parts).perform(report) is report
    assert parts.letters == []
