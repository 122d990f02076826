"""The explorer can fail: for each of these broken parts it finds a schedule, and names the broken invariant."""

import contextlib
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import REASON, Message
from song_intake.domain.decision import DeadLetter, Done, SideEffectFailed
from song_intake.domain.outcome import Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.domain.trace import Trace
from song_intake.ledger.claim import Claim
from song_intake.ledger.row import Row
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Existing, LedgerTable, Written
from song_intake.music_api.client import Connection
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work import giving_up, submission
from song_intake.work.request_work import RequestWork
from tests.properties.simulation import dangers, invariants
from tests.properties.simulation.choices import Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.messages import WITHOUT_DEADLINES, Kind
from tests.properties.simulation.vendor import SimulatedConnection, SimulatedMusicApi
from tests.properties.simulation.world import SHIPPED, Parts

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from song_intake.contract.proof import Proofs

MOST_SCHEDULES = 1_500
# From here on, every broken part is found soon: the rarest ones within 50 schedules.
FIRST_SEED = 420
KINDS_FOR = {dangers.NONE: (Kind.DATED,), dangers.HARMLESS: WITHOUT_DEADLINES}
TRANSIENT = Retryable(Reason.RATE_LIMITED, "broken")
PERMANENT = Refused(Reason.REFUSED, "broken")


class ExpiredClaimsAreClaimedAgain(SubmissionStore):
    """As in Powertools Idempotency."""

    def existing(self, result: Existing, request: SongRequest) -> Existing:
        row = result.row
        if row is None or not row.lease_is_over():
            return super().existing(result, request)
        self.record_retrying(Claim(request, row.owner or ""), TRANSIENT)
        return result


class RequestsInDoubtAreClaimedAgain(SubmissionStore):
    def claim(
        self, request: SongRequest, message_id: str, first_message_id: str | None = None, trace: Trace | None = None
    ) -> Claim | Existing:
        result = super().claim(request, message_id, first_message_id)
        if isinstance(result, Existing) and result.row is not None and result.row.status is Status.IN_DOUBT:
            self.record_retrying(Claim(request, result.row.owner or ""), TRANSIENT)
            return super().claim(request, message_id)
        return result


class ClosedRequestsAreClaimedAgain(SubmissionStore):
    """A redrive of a cancelled or an expired request counts as that of any rejected one."""

    def claim(
        self, request: SongRequest, message_id: str, first_message_id: str | None = None, trace: Trace | None = None
    ) -> Claim | Existing:
        result = super().claim(request, message_id, first_message_id)
        if isinstance(result, Written | Claim) or result.row is None or not result.row.is_closed:
            return result
        self.table.annotate(
            request.request_id,
            "SET reason = :refused",
            condition="#status = :rejected AND message_id <> :message_id",
            values={
                ":refused": {"S": Reason.REFUSED},
                ":rejected": {"S": Status.REJECTED},
                ":message_id": {"S": message_id},
            },
        )
        return super().claim(request, message_id, first_message_id)


class UnknownOutcomesAreRetried(SubmissionStore):
    def record_in_doubt(self, claim: Claim, outcome: Unknown) -> Written | Existing:
        return self.record_retrying(claim, replace(TRANSIENT, detail=outcome.detail))


class AnyWorkerSettles(SubmissionStore):
    """Also one that no longer holds the claim."""

    def record_retrying(self, claim: Claim, outcome: Retryable) -> Written | Existing:
        result = super().record_retrying(claim, outcome)
        if isinstance(result, Written) or result.row is None:
            return result
        return super().record_retrying(Claim(claim.request, result.row.owner or ""), outcome)


class LiveClaimsAreGivenUp(SubmissionStore):
    def record_given_up(
        self,
        request: SongRequest,
        message_id: str,
        reason: Reason,
        detail: str,
        first_message_id: str | None = None,
        trace: Trace | None = None,
    ) -> Written | Existing:
        result = super().record_given_up(request, message_id, reason, detail)
        if isinstance(result, Written) or result.row is None:
            return result
        return self.record_rejected(Claim(request, result.row.owner or ""), PERMANENT)


class TasksAreNotRecorded(SubmissionStore):
    def record_task(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Written | Existing:
        return Written()


class WrongTasksAreRecorded(SubmissionStore):
    def record_task(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Written | Existing:
        return super().record_task(request, f"{task_id}?", claim)


class ClaimsStayOpen(SubmissionStore):
    def _record_abandoned(self, row: Row, window: float) -> Written | Existing:
        return Written(replace(row, status=Status.IN_DOUBT))


class LeasesExpireAtOnce(SubmissionStore):
    def __init__(self, table: LedgerTable, lease: float, window: Callable[[SongRequest], float]) -> None:
        super().__init__(table, -lease, window)


class LettersAreLost(DeadLetters):
    """The message is deleted although its dead letter was not sent."""

    def send(self, message: Message, letter: DeadLetter, request_id: str | None, trace: Trace | None = None) -> None:
        with contextlib.suppress(SideEffectFailed):
            super().send(message, letter, request_id)


class LettersHaveNoRequestId(DeadLetters):
    """They only have the reason."""

    def __init__(self, sqs: "SQSClient", queue_url: str, proofs: "Proofs") -> None:
        super().__init__(sqs, queue_url, proofs)
        self._client, self._url = sqs, queue_url

    def send(self, message: Message, letter: DeadLetter, request_id: str | None, trace: Trace | None = None) -> None:
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=message.body,
            MessageAttributes={REASON: {"DataType": "String", "StringValue": letter.reason.value}},
        )


class ErrorsCountAsNotCreated(SimulatedMusicApi):
    """A 502, or no response, counts as proof that no song was created."""

    def connect(self) -> Connection | Retryable:
        connection = super().connect()
        return connection if isinstance(connection, Retryable) else OptimisticConnection(self._world, self._vendor)


class DuplicatesAreNotTracked(RequestWork):
    """A duplicate has no side effects, although the first delivery may have crashed before its own."""

    def perform(self, report: RecordReport) -> RecordReport:
        decision = report.decision
        return report if isinstance(decision, Done) and decision.duplicate else super().perform(report)


class OptimisticConnection(SimulatedConnection):
    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        outcome = super().create(body, token, trace)
        return TRANSIENT if isinstance(outcome, Unknown) else outcome


@pytest.mark.parametrize(
    ("parts", "invariants_broken"),
    [
        (Parts(store=ExpiredClaimsAreClaimedAgain), "13"),
        (Parts(store=RequestsInDoubtAreClaimedAgain), "13"),
        (Parts(store=ClosedRequestsAreClaimedAgain), "8"),
        (Parts(store=UnknownOutcomesAreRetried), "13"),
        (Parts(store=AnyWorkerSettles), "13"),
        (Parts(store=LiveClaimsAreGivenUp), "13"),
        (Parts(store=TasksAreNotRecorded), "23"),
        (Parts(store=WrongTasksAreRecorded), "4"),
        (Parts(store=ClaimsStayOpen), "57"),
        (Parts(dead_letters=LettersAreLost), "2"),
        (Parts(dead_letters=LettersHaveNoRequestId), "13578"),
        (Parts(music_api=ErrorsCountAsNotCreated), "13"),
        (Parts(request_work=DuplicatesAreNotTracked), "7"),
    ],
    ids=lambda value: _name(value) if isinstance(value, Parts) else None,
)
def test_a_broken_part_is_found(parts: Parts, invariants_broken: str) -> None:
    with pytest.raises(invariants.Violation) as found:
        _explore(parts)
    assert found.value.invariant[0] in invariants_broken


def test_an_unnecessary_dead_letter_is_found() -> None:
    with pytest.raises(invariants.Violation, match=r"^6\. "):
        _explore(Parts(store=LeasesExpireAtOnce), dangers.HARMLESS)


def test_a_deadline_that_is_not_checked_is_found() -> None:
    never = mock.patch.object(submission, "expired", return_value=None)
    with never, pytest.raises(invariants.Violation, match=r"^9\. "):
        _explore(SHIPPED, dangers.NONE)


def test_a_deadline_that_is_only_checked_when_the_message_is_received_is_found() -> None:
    def expired(request: SongRequest) -> Refused | None:
        is_before_the_claim = sys._getframe(1).f_code.co_name == "_attempt"
        return giving_up.expired(request) if is_before_the_claim else None

    with mock.patch.object(submission, "expired", expired), pytest.raises(invariants.Violation, match=r"^9\. "):
        _explore(SHIPPED, dangers.NONE)


def _explore(parts: Parts, allowed: dangers.Dangers | None = None) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + MOST_SCHEDULES):
        choices = Choices(random.Random(seed).randbytes(500))  # noqa: S311 - chooses schedules, guards nothing
        kinds = KINDS_FOR.get(allowed, tuple(Kind)) if allowed else tuple(Kind)
        explorer = Explorer(choices, allowed or dangers.any_of_them(choices), parts, kinds)
        explorer.run()
        if allowed is dangers.HARMLESS:
            invariants.check_nothing_went_wrong(explorer.world)


def _name(parts: Parts) -> str:
    broken = (parts.store, parts.dead_letters, parts.music_api, parts.request_work)
    return next(part.__name__ for part in broken if part.__module__ == __name__)
