"""The explorer can fail: it finds a schedule for each of these broken parts, and names the invariant that breaks."""

import contextlib
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from song_intake.dead_letters import DeadLetterQueueUnavailable, DeadLetters
from song_intake.decision import DeadLetter, Done
from song_intake.ledger import Claim, Ledger
from song_intake.ledger_row import Row, Status
from song_intake.message import REASON, Message
from song_intake.music_api import Line
from song_intake.outcome import NotSent, Outcome, Refused, Unknown
from song_intake.reason import Reason
from song_intake.request_work import RequestWork
from song_intake.song_request import SongRequest
from song_intake.telemetry import Report
from tests.properties.simulation import dangers, invariants
from tests.properties.simulation.choices import Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.vendor import SimulatedLine, SimulatedMusicApi
from tests.properties.simulation.world import Parts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

MOST_SCHEDULES = 1_500
MAY_PASS = NotSent(Reason.RATE_LIMITED, "broken")
NEVER_PASSES = Refused(Reason.REFUSED, "broken")


class ExpiredClaimsAreTakenAgain(Ledger):
    """As Powertools Idempotency has it."""

    def claim(self, request: SongRequest, message_id: str) -> Claim | Row:
        standing = super().claim(request, message_id)
        if isinstance(standing, Row) and standing.lease_is_over():
            self.retrying(Claim(request, standing.owner or ""), MAY_PASS)
            return super().claim(request, message_id)
        return standing


class DoubtsAreTakenAgain(Ledger):
    def claim(self, request: SongRequest, message_id: str) -> Claim | Row:
        standing = super().claim(request, message_id)
        if isinstance(standing, Row) and standing.status is Status.IN_DOUBT:
            self.retrying(Claim(request, standing.owner or ""), MAY_PASS)
            return super().claim(request, message_id)
        return standing


class TheUnknownIsTriedAgain(Ledger):
    def in_doubt(self, claim: Claim, outcome: Unknown, window: float) -> Row | None:
        return self.retrying(claim, replace(MAY_PASS, detail=outcome.detail))


class AnyoneSettles(Ledger):
    """Also whoever holds no claim any more."""

    def retrying(self, claim: Claim, outcome: NotSent) -> Row | None:
        standing = super().retrying(claim, outcome)
        return standing and super().retrying(Claim(claim.request, standing.owner or ""), outcome)


class LiveClaimsAreGivenUp(Ledger):
    def given_up(self, request: SongRequest, message_id: str, reason: Reason, detail: str) -> Row | None:
        standing = super().given_up(request, message_id, reason, detail)
        return standing and self.rejected(Claim(request, standing.owner or ""), NEVER_PASSES)


class TasksAreForgotten(Ledger):
    def submitted(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Row | None:
        return None


class TasksAreMadeUp(Ledger):
    def submitted(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Row | None:
        return super().submitted(request, f"{task_id}?", claim)


class ClaimsStayOpen(Ledger):
    def abandoned(self, row: Row, reason: Reason, detail: str, window: float) -> Row | None:
        return None


class NoPatience(Ledger):
    """The lease is over at once."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, lease: float, keep_days: int) -> None:
        super().__init__(dynamodb, table, lease=-lease, keep_days=keep_days)


class LettersAreLost(DeadLetters):
    """Acknowledged without the dead letter."""

    def send(self, message: Message, letter: DeadLetter, request_id: str | None) -> None:
        with contextlib.suppress(DeadLetterQueueUnavailable):
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

    def connect(self) -> Line | NotSent:
        line = super().connect()
        return line if isinstance(line, NotSent) else HopefulLine(self._world, self._vendor)


class NobodyFollows(RequestWork):
    """A duplicate is acknowledged as it is, though the first may have died before it was followed."""

    def carry_out(self, report: Report) -> Report:
        decision = report.decision
        return report if isinstance(decision, Done) and decision.duplicate else super().carry_out(report)


class HopefulLine(SimulatedLine):
    def create(self, body: bytes, token: str) -> Outcome:
        outcome = super().create(body, token)
        return MAY_PASS if isinstance(outcome, Unknown) else outcome


@pytest.mark.parametrize(
    ("parts", "invariants_broken"),
    [
        (Parts(ledger=ExpiredClaimsAreTakenAgain), "13"),
        (Parts(ledger=DoubtsAreTakenAgain), "13"),
        (Parts(ledger=TheUnknownIsTriedAgain), "13"),
        (Parts(ledger=AnyoneSettles), "13"),
        (Parts(ledger=LiveClaimsAreGivenUp), "13"),
        (Parts(ledger=TasksAreForgotten), "23"),
        (Parts(ledger=TasksAreMadeUp), "4"),
        (Parts(ledger=ClaimsStayOpen), "57"),
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
        _explore(Parts(ledger=NoPatience), dangers.HARMLESS)


def _explore(parts: Parts, allowed: dangers.Dangers | None = None) -> None:
    for seed in range(MOST_SCHEDULES):
        choices = Choices(random.Random(seed).randbytes(500))  # noqa: S311 - chooses schedules, guards nothing
        explorer = Explorer(choices, allowed or dangers.any_of_them(choices), parts)
        explorer.run()
        if allowed is dangers.HARMLESS:
            invariants.check_nothing_went_wrong(explorer.world)


def _name(parts: Parts) -> str:
    broken = (parts.ledger, parts.dead_letters, parts.music_api, parts.request_work)
    return next(part.__name__ for part in broken if part.__module__ == __name__)
