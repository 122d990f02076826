"""A song that does not end: how long it is followed, and what a redrive of its letter does, on real parts."""

import time
from dataclasses import replace
from typing import Any

import pytest

from song_intake.domain.decision import DeadLetter, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.checks import SongCheck
from song_intake.work.own_queue_work import MOST_RECEIVES
from song_intake.work.tracking import Tracking
from tests.integration.bench import Bench
from tests.integration.decisions import letter_in, retry_in
from tests.integration.following import (
    TRACKING_HOURS,
    body_of,
    check_batch,
    look,
    look_at_all,
    submitted,
    tracking,
)
from tests.local.vendor import answer as said
from tests.local.vendor import story

OVERDUE = TRACKING_HOURS * 3600 + 1


@pytest.fixture
def follow(bench: Bench) -> Tracking:
    return tracking(bench)


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.events()]


def test_a_song_that_never_finishes_is_given_up_with_a_letter_and_an_event(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.never_finishes(), metadata={"customer": "c-1"})
    bench.checks.send(body_of(replace(check, since=time.time() - OVERDUE)))
    assert look_at_all(bench, check_batch(bench)) == set()

    (letter,) = bench.dead_checks.letters()
    named = {name: letter.attributes[name] for name in ("reason", "request_id", "task_id")}
    assert named == {"reason": "NEVER_FINISHED", "request_id": request_id, "task_id": check.task_id}
    assert letter.body == body_of(replace(check, since=SongCheck.parse(letter.body).since))
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["metadata"]) == ("Song In Doubt", "NEVER_FINISHED", {"customer": "c-1"})
    row = bench.row(request_id)
    assert (row["status"], row["reason"]) == ("SUBMITTED", "NEVER_FINISHED")


@pytest.mark.parametrize(("hours", "is_given_up"), [(TRACKING_HOURS + 167, False), (TRACKING_HOURS + 169, True)])
def test_a_song_whose_polls_have_no_answer_is_tracked_for_a_week_longer(
    bench: Bench, follow: Tracking, request_id: str, hours: int, *, is_given_up: bool
) -> None:
    silent = story.never_finishes().always(story.refuses(said.INTERNAL_ERROR))
    check = submitted(bench, request_id, silent)
    decision = look(replace(check, since=time.time() - hours * 3600), follow)
    assert decision.reason is (Reason.NEVER_FINISHED if is_given_up else Reason.POLL_FAILED)
    assert isinstance(decision, DeadLetter if is_given_up else RetryIn)


def test_a_letter_of_a_song_that_never_finished_is_followed_anew_when_it_is_redriven(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    old = replace(check, since=time.time() - OVERDUE)
    attributes = {"reason": "NEVER_FINISHED", "first_message_id": "m", "request_id": request_id}
    redriven = retry_in(look(old, follow, attributes=attributes))
    assert redriven.reason is Reason.NOT_FINISHED
    again_too_long = look(old, follow, attributes=attributes, sent_at=time.time() - OVERDUE)
    assert letter_in(again_too_long).reason is Reason.NEVER_FINISHED


def test_a_song_that_ended_after_it_was_given_up_is_settled_by_a_redrive(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(story.says("RUNNING")))
    bench.checks.send(body_of(replace(check, since=time.time() - OVERDUE)))
    batch = check_batch(bench)
    look_at_all(bench, batch)
    (letter,) = bench.dead_checks.letters()
    bench.checks.send(letter.body, letter.attributes)
    assert look_at_all(bench, batch) == set()
    row = bench.row(request_id)
    assert (row["status"], row.get("reason")) == ("SUCCEEDED", None)
    assert [kind for kind, _ in events_of(bench)] == ["Song In Doubt", "Song Succeeded"]


def test_a_song_that_is_there_is_settled_however_late(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id)
    old = replace(check, since=time.time() - OVERDUE)
    assert look(old, follow, receives=MOST_RECEIVES) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_song_is_given_up_before_sqs_would_move_its_check_without_a_reason(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    assert isinstance(look(check, follow, receives=MOST_RECEIVES - 1), RetryIn)
    assert letter_in(look(check, follow, receives=MOST_RECEIVES)).reason is Reason.NEVER_FINISHED
