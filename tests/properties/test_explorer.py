"""The explorer can fail: it finds a schedule for each of these broken parts, and names the invariant that breaks."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import REASON, Message
from song_intake.domain.decision import DeadLetter, Done, SideEffectFailed
from song_intake.domain.outcome import Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.row import Row
from song_intake.ledger.submitting import Claim, SubmissionStore
from song_intake.ledger.table import Existing, LedgerTable, Written
from song_intake.music_api.client import Connection
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.request_work import RequestWork
from tests.properties.simulation import dangers, invariants
from tests.properties.simulation.choices import Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.vendor import SimulatedConnection, SimulatedMusicApi
from tests.properties.simulation.world import Parts

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MOST_SCHEDULES = 1_500
MAY_PASS = Retryable(Reason.RATE_LIMITED, "broken")
NEVER_PASSES = Refused(Reason.REFUSED, "broken")


class ExpiredClaimsAreTakenAgain(SubmissionStore):
    """As Powertools Idempotency does it."""

    def _existing(self, result: Existing, request: SongRequest) -> Existing:
        row = result.row
        if row is None or not row.lease_is_over():
            return super()._existing(result, request)
        self.record_retrying(Claim(request, row.owner or ""), MAY_PASS)
        return result


class DoubtsAreTakenAgain(SubmissionStore):
    def claim(self, request: SongRequest, message_id: str) -> Claim | Existing:
        result = super().claim(request, message_id)
        if isinstance(result, Existing) and result.row is not None and result.row.status is Status.IN_DOUBT:
            self.record_retrying(Claim(request, result.row.owner or ""), MAY_PASS)
            return super().claim(request, message_id)
        return result


class TheUnknownIsTriedAgain(SubmissionStore):
    def record_in_doubt(self, claim: Claim, outcome: Unknown) -> Written | Existing:
        return self.record_retrying(claim, replace(MAY_PASS, detail=outcome.detail))


class AnyoneSettles(SubmissionStore):
    """Also whoever holds no claim any more."""

    def record_retrying(self, claim: Claim, outcome: Retryable) -> Written | Existing:
        result = super().record_retrying(claim, outcome)
        if isinstance(result, Written) or result.row is None:
            return result
        return super().record_retrying(Claim(claim.request, result.row.owner or ""), outcome)


class LiveClaimsAreGivenUp(SubmissionStore):
    def record_given_up(self, request: SongRequest, message_id: str, reason: Reason, detail: str) -> Written | Existing:
        result = super().record_given_up(request, message_id, reason, detail)
        if isinstance(result, Written) or result.row is None:
            return result
        return self.record_rejected(Claim(request, result.row.owner or ""), NEVER_PASSES)


class TasksAreForgotten(SubmissionStore):
    def record_task(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Written | Existing:
        return Written()


class TasksAreMadeUp(SubmissionStore):
    def record_task(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Written | Existing:
        return super().record_task(request, f"{task_id}?", claim)


class ClaimsStayOpen(SubmissionStore):
    def _record_abandoned(self, row: Row, window: float) -> Written | Existing:
        return Written(replace(row, status=Status.IN_DOUBT))


class NoPatience(SubmissionStore):
    """The lease is over at once."""

    def __init__(self, table: LedgerTable, lease: float, window: Callable[[SongRequest], float]) -> None:
        super().__init__(table, -lease, window)


class LettersAreLost(DeadLetters):
    """Acknowledged without the dead letter."""

    def send(self, message: Message, letter: DeadLetter, request_id: str | None) -> None:
        with contextlib.suppress(SideEffectFailed):
            super().send(message, letter, request_id)


class LettersAreAnonymous(DeadLetters):
    """They say why, but not what they were."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        super().__init__(sqs, queue_url)
        self._client, self._url = sqs, queue_url

    def send(self, message: Message, letter: DeadLetter, request_id: str | None) -> None:
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=message.body,
            MessageAttributes={REASON: {"DataType": "String", "StringValue": letter.reason.value}},
        )


class ErrorsAreTakenForRefusals(SimulatedMusicApi):
    """A 502, or no answer at all, is taken to mean that nothing was made."""

    def connect(self) -> Connection | Retryable:
        line = super().connect()
        return line if isinstance(line, Retryable) else HopefulConnection(self._world, self._vendor)


class NobodyFollows(RequestWork):
    """A duplicate is acknowledged as it is, though the first may have died before it was followed."""

    def perform(self, report: RecordReport) -> RecordReport:
        decision = report.decision
        return report if isinstance(decision, Done) and decision.duplicate else super().perform(report)


class HopefulConnection(SimulatedConnection):
    def create(self, body: bytes, token: str) -> Outcome:
        outcome = super().create(body, token)
        return MAY_PASS if isinstance(outcome, Unknown) else outcome


@pytest.mark.parametrize(
    ("parts", "invariants_broken"),
    [
        (Parts(store=ExpiredClaimsAreTakenAgain), "13"),
        (Parts(store=DoubtsAreTakenAgain), "13"),
        (Parts(store=TheUnknownIsTriedAgain), "13"),
        (Parts(store=AnyoneSettles), "13"),
        (Parts(store=LiveClaimsAreGivenUp), "13"),
        (Parts(store=TasksAreForgotten), "23"),
        (Parts(store=TasksAreMadeUp), "4"),
        (Parts(store=ClaimsStayOpen), "57"),
        (Parts(dead_letters=LettersAreLost), "2"),
        (Parts(dead_letters=LettersAreAnonymous), "1357"),
        (Parts(music_api=ErrorsAreTakenForRefusals), "13"),
        (Parts(request_work=NobodyFollows), "7"),
    ],
    ids=lambda value: _name(value) if isinstance(value, Parts) else None,
)
def test_a_broken_part_is_found(parts: Parts, invariants_broken: str) -> None:
    with pytest.raises(invariants.Violation) as found:
        _explore(parts)
    assert found.value.invariant[0] in invariants_broken


def test_a_needless_dead_letter_is_found() -> None:
    with pytest.raises(invariants.Violation, match=r"^6\. "):
        _explore(Parts(store=NoPatience), dangers.HARMLESS)


def _explore(parts: Parts, allowed: dangers.Dangers | None = None) -> None:
    for seed in range(MOST_SCHEDULES):
        choices = Choices(random.Random(seed).randbytes(500))  # noqa: S311 - chooses schedules, guards nothing
        explorer = Explorer(choices, allowed or dangers.any_of_them(choices), parts)
        explorer.run()
        if allowed is dangers.HARMLESS:
            invariants.check_nothing_went_wrong(explorer.world)


def _name(parts: Parts) -> str:
    broken = (parts.store, parts.dead_letters, parts.music_api, parts.request_work)
    return next(part.__name__ for part in broken if part.__module__ == __name__)
