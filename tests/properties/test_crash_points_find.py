"""The proof of test_crash_points.py can fail: each of these broken parts breaks a story, for the right reason."""

import contextlib
from dataclasses import fields, replace

import pytest

from song_intake.announcements import Announcement, AnnouncementFailed, Announcer, Happening
from song_intake.callback import Callback, CallbackFailed
from song_intake.check_work import CheckWork
from song_intake.decision import Decision, Done
from song_intake.ledger_following import Following
from song_intake.ledger_row import Row
from song_intake.ledger_table import Standing, Written
from song_intake.message import Message
from song_intake.reason import Reason
from song_intake.request_work import RequestWork
from song_intake.song_checks import ChecksUnavailable, SongCheck, SongChecks
from song_intake.task_state import Failed, Succeeded, TaskState
from song_intake.telemetry import Report
from song_intake.telling import Telling
from song_intake.tracking import Tracking
from song_intake.undone import Undone
from song_intake.webhook import Call
from song_intake.webhook_reception import Reception, Reply
from tests.properties.simulation import crash_points, interleavings
from tests.properties.simulation.following_functions import Parts
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.stories import OF_TWO_CHECKS, STORIES


class ToldBeforeItIs(Following):
    """The mark that everybody was told comes with the row's end, before the event."""

    def finished(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Standing:
        result = super().finished(request_id, task_id, end, reason)
        self.told(request_id)
        return result


class AnyEndIsTaken(Following):
    """The last end that is told is the end."""

    def finished(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Standing:
        self._table.write(
            request_id,
            set_="#status = :submitted",
            remove="reason",
            condition="task_id = :task_id",
            values={":submitted": {"S": "SUBMITTED"}, ":task_id": {"S": task_id}},
        )
        return super().finished(request_id, task_id, end, reason)


class AnnouncedBeforeItIsWritten(Tracking):
    def _end(self, check: SongCheck, end: Succeeded | Failed, reason: Reason) -> Decision:
        happening = Happening.SUCCEEDED if isinstance(end, Succeeded) else Happening.FAILED
        self.telling.announcer.announce(Announcement(happening, check.request_id, check.task_id, check.task_id))
        return super()._end(check, end, reason)


class OnlyTheFirstLookTells(Tracking):
    """Whoever finds the row ended leaves the telling to the one that wrote it."""

    def _done(self, check: SongCheck, result: Written | Standing) -> Decision:
        if isinstance(result, Standing) and result.row is not None:
            return Done(check.task_id, duplicate=True, ended=result.row.status)
        return super()._done(check, result)


class OneUnknownEndsIt(Tracking):
    def _settled(self, check: SongCheck, message: Message, state: TaskState) -> Decision:
        return super()._settled(replace(check, no_such_task=True), message, state)


class ARedriveIsForgotten(Tracking):
    """The check that carries on counts from the song's beginning."""

    def _pass_on(self, check: SongCheck, message: Message, *, no_such_task: bool) -> Decision:
        self.checks.follow(replace(check, no_such_task=no_such_task))
        return Done(check.task_id, passed_on=True)


class EventsAreDropped(Announcer):
    """Acknowledged though the event failed."""

    def announce(self, announcement: Announcement) -> None:
        with contextlib.suppress(AnnouncementFailed):
            super().announce(announcement)


class CallbacksAreDropped(Callback):
    def succeeded(self, task_token: str, announcement: Announcement) -> bool:
        with contextlib.suppress(CallbackFailed):
            return super().succeeded(task_token, announcement)
        return False


class NobodySaysSubmitted(Telling):
    """A song whose task a webhook named is only announced when it has ended."""

    def of_end(self, row: Row) -> None:
        super().of_end(replace(row, unannounced=False))


class WordsOfGivingUpAreDropped(Telling):
    """The letter alone tells of a song that never finished."""

    def of_row(self, row: Row, happening: Happening, reason: Reason, detail: str) -> None:
        with contextlib.suppress(Undone):
            super().of_row(row, happening, reason, detail)


class LettersAreDropped(CheckWork):
    def carry_out(self, report: Report) -> Report:
        super().carry_out(report)
        return report


class ChecksAreDropped(SongChecks):
    """Acknowledged though nobody carries on."""

    def follow(self, check: SongCheck) -> None:
        with contextlib.suppress(ChecksUnavailable):
            super().follow(check)


class HintsAreNotChecked(SongChecks):
    """The webhook records the task, and leaves it at that."""

    def look_now(self, check: SongCheck) -> None:
        pass


class AcceptedTooSoon(Reception):
    """The vendor is told 200 though the check was not sent."""

    def take(self, call: Call) -> Reply:
        try:
            return super().take(call)
        except ChecksUnavailable:
            return Reply.ACCEPTED


class NobodyFollows(RequestWork):
    """A duplicate is acknowledged as it is, though the webhook's check may never have been sent."""

    def carry_out(self, report: Report) -> Report:
        decision = report.decision
        return report if isinstance(decision, Done) and decision.duplicate else super().carry_out(report)


_LETTER_IS_OUT = "webhook of a doubt whose letter is out"


@pytest.mark.parametrize(
    ("parts", "story", "broken"),
    [
        (Parts(following=ToldBeforeItIs), "success at first look", "3. Song Succeeded was never"),
        (Parts(following=AnyEndIsTaken), "failed, then succeeded", "4. .*Song Failed"),
        (Parts(tracking=AnnouncedBeforeItIsWritten), "failed, then succeeded", "4. .*Song Failed"),
        (Parts(tracking=OnlyTheFirstLookTells), "success at first look", "3. Song Succeeded was never"),
        (Parts(tracking=OneUnknownEndsIt), "unknown once", "2. .*TASK_UNKNOWN"),
        (Parts(tracking=ARedriveIsForgotten), "overdue, redriven, unknown once", "2. .*NEVER_FINISHED"),
        (Parts(announcer=EventsAreDropped), "failed by the vendor", "3. Song Failed was never"),
        (Parts(callback=CallbacksAreDropped), "success for a workflow", "5. the task was never"),
        (Parts(telling=NobodySaysSubmitted), "webhook of a doubt", "3. Song Submitted was never"),
        (Parts(telling=WordsOfGivingUpAreDropped), "overdue", "6. NEVER_FINISHED was never"),
        (Parts(check_work=LettersAreDropped), "overdue", "6. it has no dead letter"),
        (Parts(check_work=LettersAreDropped), "no such row", "6. nobody was told"),
        (Parts(song_checks=ChecksAreDropped), "unknown once", "2. .*SUBMITTED"),
        (Parts(song_checks=HintsAreNotChecked), _LETTER_IS_OUT, "2. .*SUBMITTED"),
        (Parts(reception=AcceptedTooSoon), _LETTER_IS_OUT, "2. .*SUBMITTED"),
        (Parts(request_work=NobodyFollows), f"{_LETTER_IS_OUT}, never repeated", "2. .*SUBMITTED"),
    ],
    ids=lambda value: _name(value) if isinstance(value, Parts) else None,
)
def test_a_broken_part_is_found(parts: Parts, story: str, broken: str) -> None:
    (told,) = (one for one in STORIES if one.name == story)
    with pytest.raises(Violation, match=f"^{broken}"):
        crash_points.prove(told, parts)


def test_a_part_that_two_checks_break_is_found() -> None:
    with pytest.raises(Violation, match=r"^3\. Song Succeeded was never"):
        interleavings.prove(OF_TWO_CHECKS, Parts(following=AnyEndIsTaken))


def _name(parts: Parts) -> str:
    every: list[type] = [getattr(parts, field.name) for field in fields(parts)]
    return next(part.__name__ for part in every if part.__module__ == __name__)
