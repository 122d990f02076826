"""The proof of test_crash_points.py can fail: each of these broken parts breaks a story, for the right reason."""

import contextlib
from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Decision, Done, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.task import Failed, Succeeded
from song_intake.ledger.following import TrackingStore, status_of
from song_intake.ledger.notified import Notified
from song_intake.ledger.row import Row
from song_intake.ledger.table import Existing, Written
from song_intake.music_api.webhook_call import WebhookCall
from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.checks import SongCheck, SongChecks
from song_intake.outgoing.events import EventPublisher, EventType, SongEvent
from song_intake.outgoing.notifier import Notifier
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.check_work import CheckWork
from song_intake.work.tracking import Tracking
from song_intake.work.webhook_endpoint import Reply, WebhookEndpoint
from song_intake.work.webhook_hints import SongToPoll, WebhookHints
from tests.properties.simulation import crash_points, interleavings
from tests.properties.simulation.following_functions import Parts
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.stories import OF_TWO_CHECKS, STORIES


class ToldBeforeItIs(TrackingStore):
    """The mark that everybody was told comes with the row's end, before the event."""

    def record_end(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Existing:
        result = super().record_end(request_id, task_id, end, reason)
        if result.row is not None and result.row.status is status_of(end):
            self.mark_notified(result.row, Notified(end=True))
            return replace(result, row=replace(result.row, end_published=True))
        return result


class AnyEndIsTaken(TrackingStore):
    """The last end that is told is the end."""

    def record_end(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Existing:
        self._table.write(
            request_id,
            set_="#status = :submitted",
            remove="reason",
            condition="task_id = :task_id",
            values={":submitted": {"S": "SUBMITTED"}, ":task_id": {"S": task_id}},
        )
        return super().record_end(request_id, task_id, end, reason)


class AFailureIsFinal(TrackingStore):
    """A song that is found after all stays failed."""

    def record_end(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Existing:
        failed = self._table.write(
            request_id,
            set_="#status = :failed",
            condition="#status = :failed",
            values={":failed": {"S": "FAILED"}},
        )
        if isinstance(failed, Written):
            return Existing(failed.row)
        return super().record_end(request_id, task_id, end, reason)


class AnnouncedBeforeItIsWritten(Tracking):
    def _end(self, song: SongToPoll, end: Succeeded | Failed) -> Decision:
        check = song.check
        event_type = EventType.SUCCEEDED if isinstance(end, Succeeded) else EventType.FAILED
        self.notifier.publisher.publish(SongEvent(event_type, check.request_id, check.task_id, check.task_id))
        return super()._end(song, end)


class OnlyTheFirstLookTells(Tracking):
    """Whoever finds the row ended leaves the telling to the one that wrote it."""

    def _done(self, check: SongCheck, result: Written | Existing, webhook_at: float | None = None) -> Decision:
        if isinstance(result, Existing) and result.row is not None:
            return Done(check.task_id, duplicate=True, ended=result.row.status)
        return super()._done(check, result, webhook_at)


class OneUnknownEndsIt(Tracking):
    def _is_unknown_for_long(self, check: SongCheck, message: Message) -> bool:
        return True


class ARedriveIsForgotten(Tracking):
    """The check counts from the song's beginning."""

    def decide(self, check: SongCheck, message: Message, may_poll: Callable[[], bool] = lambda: True) -> Decision:
        return super().decide(check, replace(message, origin=None), may_poll)


class EventsAreDropped(EventPublisher):
    """Acknowledged though the event failed."""

    def publish(self, event: SongEvent) -> None:
        with contextlib.suppress(SideEffectFailed):
            super().publish(event)


class CallbacksAreDropped(TaskCallback):
    def succeeded(self, task_token: str, event: SongEvent) -> bool:
        with contextlib.suppress(SideEffectFailed):
            return super().succeeded(task_token, event)
        return False


class NobodySaysSubmitted(Notifier):
    """A song whose task a webhook named is only announced when it has ended."""

    def publish_end(
        self, row: Row, order: Callable[[], None] | None = None
    ) -> tuple[Notified, SideEffectFailed | None]:
        return super().publish_end(replace(row, submission_unpublished=False), order)


class WordsOfGivingUpAreDropped(Notifier):
    """The letter alone tells of a song that never finished."""

    def publish_doubt(self, row: Row, reason: Reason, detail: str) -> None:
        with contextlib.suppress(SideEffectFailed):
            super().publish_doubt(row, reason, detail)


class LettersAreDropped(CheckWork):
    def perform(self, report: RecordReport) -> RecordReport:
        super().perform(report)
        return report


class ChecksAreDropped(SongChecks):
    """Acknowledged though nobody carries on."""

    def schedule(self, check: SongCheck) -> None:
        with contextlib.suppress(SideEffectFailed):
            super().schedule(check)


class HintsAreNotSent(SongChecks):
    """The webhook is accepted, and that is all."""

    def poll_now(self, check: SongCheck) -> None:
        pass


class AcceptedTooSoon(WebhookEndpoint):
    """The vendor is told 200 though the check was not sent."""

    def _reply_to(self, call: WebhookCall) -> Reply:
        try:
            return super()._reply_to(call)
        except SideEffectFailed:
            return Reply.ACCEPTED


class AnyHintIsBelieved(WebhookHints):
    """Signed or not."""

    def apply(self, check: SongCheck, message: Message) -> SongToPoll | Existing | Done:
        if check.hint is not None:
            hint = self.proofs.hint("hint-1", check.request_id, check.task_id, is_late=check.hint.is_late)
            check = replace(check, hint=hint)
        return super().apply(check, message)


class AHintIsAppliedOnce(TrackingStore):
    """A check that comes back finds its task on the row, and does not know that it was its own."""

    def record_late_webhook_task(self, request_id: str, task_id: str, hint_id: str) -> Written | Existing:
        result = super().record_late_webhook_task(request_id, task_id, hint_id)
        if isinstance(result, Existing) and result.row is not None:
            return Existing(replace(result.row, tracking_hint=None))
        return result


class OneHintOneLook(WebhookHints):
    """The check of a webhook never carries on, whether or not another one does."""

    def apply(self, check: SongCheck, message: Message) -> SongToPoll | Existing | Done:
        applied = super().apply(check, message)
        is_hinted = check.hint is not None and isinstance(applied, SongToPoll)
        return replace(applied, is_tracked=False) if is_hinted and isinstance(applied, SongToPoll) else applied


class GivenUpForGood(TrackingStore):
    """A webhook does not have a song tracked again that was given up."""

    def record_tracking_resumed(self, row: Row, hint_id: str) -> Written | Existing:
        return Existing(row)


class ASuccessNeedsNoNews(WebhookHints):
    """The row of a song that succeeded has nothing left to publish."""

    def apply(self, check: SongCheck, message: Message) -> SongToPoll | Existing | Done:
        applied = super().apply(check, message)
        return Done(check.task_id, duplicate=True) if isinstance(applied, Existing) else applied


_LETTER_IS_OUT = "webhook of a doubt whose letter is out"


@pytest.mark.parametrize(
    ("parts", "story", "broken"),
    [
        (Parts(store=ToldBeforeItIs), "success at first look", "3. Song Succeeded was never"),
        (Parts(store=AnyEndIsTaken), "succeeded, then failed", "2. a success was replaced"),
        (Parts(store=AFailureIsFinal), "failed, then succeeded by its webhook", "2. .*FAILED"),
        (Parts(tracking=AnnouncedBeforeItIsWritten), "failed, then succeeded", "4. .*Song Failed"),
        (Parts(tracking=OnlyTheFirstLookTells), "success at first look", "3. Song Succeeded was never"),
        (Parts(tracking=OneUnknownEndsIt), "unknown once", "2. .*TASK_UNKNOWN"),
        (Parts(tracking=ARedriveIsForgotten), "overdue, redriven, unknown once", "2. .*NEVER_FINISHED"),
        (Parts(publisher=EventsAreDropped), "failed by the vendor", "3. Song Failed was never"),
        (Parts(callback=CallbacksAreDropped), "success for a workflow", "5. the task was never"),
        (Parts(notifier=NobodySaysSubmitted), "webhook of a doubt", "3. Song Submitted was never"),
        (Parts(notifier=WordsOfGivingUpAreDropped), "overdue", "6. NEVER_FINISHED was never"),
        (Parts(check_work=LettersAreDropped), "overdue", "6. it has no dead letter"),
        (Parts(check_work=LettersAreDropped), "no such row", "6. nobody was told"),
        (Parts(song_checks=ChecksAreDropped), "unknown once", "2. .*SUBMITTED"),
        (Parts(song_checks=HintsAreNotSent), _LETTER_IS_OUT, "2. .*IN_DOUBT"),
        (Parts(endpoint=AcceptedTooSoon), _LETTER_IS_OUT, "2. .*IN_DOUBT"),
        (Parts(hints=AnyHintIsBelieved), "a forged hint of a doubt", "2. .*SUBMITTED|2. .*SUCCEEDED"),
        (Parts(store=AHintIsAppliedOnce), f"{_LETTER_IS_OUT}, late", "2. .*SUBMITTED"),
        (Parts(hints=OneHintOneLook), f"{_LETTER_IS_OUT}, late", "2. .*SUBMITTED"),
        (Parts(store=GivenUpForGood), "unknown for long, then running after its webhook", "2. .*SUBMITTED"),
        (Parts(hints=ASuccessNeedsNoNews), _LETTER_IS_OUT, "3. .* was never"),
    ],
    ids=lambda value: _name(value) if isinstance(value, Parts) else None,
)
def test_a_broken_part_is_found(parts: Parts, story: str, broken: str) -> None:
    (told,) = (one for one in STORIES if one.name == story)
    with pytest.raises(Violation, match=f"^{broken}"):
        crash_points.prove(told, parts)


def test_a_part_that_two_checks_break_is_found() -> None:
    with pytest.raises(Violation, match=r"^2\. "):
        interleavings.prove(OF_TWO_CHECKS, Parts(store=AnyEndIsTaken))


def _name(parts: Parts) -> str:
    every: list[type] = [getattr(parts, field.name) for field in fields(parts)]
    return next(part.__name__ for part in every if part.__module__ == __name__)
