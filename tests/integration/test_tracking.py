"""A submitted song followed to its end: what each poll makes of its row, on real parts."""

import time
from dataclasses import replace
from typing import Any

import pytest

from song_intake.domain.decision import Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.work.tracking import Tracking
from tests.integration.bench import Bench, new_id
from tests.integration.decisions import retry_in
from tests.integration.following import (
    FIRST_WAIT,
    LONGEST_WAIT,
    TRACKING_HOURS,
    look,
    submitted,
    tracking,
)
from tests.local.vendor import answer as said
from tests.local.vendor import story
from tests.local.vendor.answer import Generation
from tests.local.vendor.story import PollReply


@pytest.fixture
def follow(bench: Bench) -> Tracking:
    return tracking(bench)


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.events()]


@pytest.mark.parametrize("generation", Generation)
def test_a_song_that_is_there_is_settled_with_its_clips_and_announced(
    bench: Bench, follow: Tracking, request_id: str, generation: Generation
) -> None:
    told = story.succeeds(clips=2, generation=generation)
    check = submitted(bench, request_id, told, metadata={"customer": "c-1"}, seed="7")
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)

    row = bench.row(request_id)
    assert (row["status"], row["end_published"]) == ("SUCCEEDED", True)
    assert [clip["M"]["clip_id"]["S"] for clip in row["clips"]] == [f"{check.task_id}-0", f"{check.task_id}-1"]
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["request_id"], detail["task_id"]) == ("Song Succeeded", request_id, check.task_id)
    assert (detail["metadata"], [clip["seed"] for clip in detail["clips"]]) == ({"customer": "c-1"}, ["7", "7"])
    assert detail["clips"][0]["audio_url"] == f"https://cdn.example/{check.task_id}-0.mp3"


@pytest.mark.parametrize(("said", "seconds"), [(183.48, 183.48), ("183.5", 183.5), (200, 200.0), (None, None)])
def test_a_duration_of_any_form_is_a_number_on_row_and_event(
    bench: Bench, follow: Tracking, request_id: str, said: object, seconds: float | None
) -> None:
    look(submitted(bench, request_id, story.makes_clip(duration=said)), follow)
    (clip,) = bench.row(request_id)["clips"]
    assert clip["M"].get("duration", {}).get("N") == (None if seconds is None else f"{seconds:g}")
    (event,) = bench.bus.details()
    assert event["clips"][0].get("duration") == seconds


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("refunded", [True, False, None])
def test_a_song_that_failed_is_settled_with_the_vendors_code_and_whether_it_was_refunded(
    bench: Bench, follow: Tracking, request_id: str, generation: Generation, refunded: object
) -> None:
    assert refunded is None or isinstance(refunded, bool)
    check = submitted(bench, request_id, story.fails(refunded=refunded, generation=generation))
    assert look(check, follow) == Done(check.task_id, ended=Status.FAILED)
    row = bench.row(request_id)
    assert (row["status"], row["reason"], row.get("refunded")) == ("FAILED", "FAILED_BY_VENDOR", refunded)
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail.get("refunded")) == ("Song Failed", "FAILED_BY_VENDOR", refunded)
    assert detail.get("vendor_code") == row.get("vendor_code")


@pytest.mark.parametrize("generation", Generation)
def test_a_song_that_is_not_finished_is_looked_at_again(
    bench: Bench, follow: Tracking, request_id: str, generation: Generation
) -> None:
    check = submitted(bench, request_id, story.never_finishes(generation))
    for _ in range(5):
        assert look(check, follow) == RetryIn(FIRST_WAIT, Reason.NOT_FINISHED, "the song is not finished")
    assert bench.row(request_id)["status"] == "SUBMITTED"
    assert bench.bus.events() == []


def test_success_without_data_is_not_yet(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds(polls_without_data=1))
    assert retry_in(look(check, follow)).reason is Reason.NOT_FINISHED
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_status_that_nobody_knows_is_not_yet_under_a_name_of_its_own(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.succeeds().after(story.says("PAUSED")))
    assert retry_in(look(check, follow)).reason is Reason.UNKNOWN_STATUS
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_waits_grow_from_look_to_look_up_to_the_longest(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    waits = [retry_in(look(check, follow, receives=receives)).seconds or 0 for receives in (1, 2, 3, 10, 15, 989)]
    assert waits[0] == FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[1] == pytest.approx(FIRST_WAIT * 1.25)
    assert waits[-2:] == [LONGEST_WAIT, LONGEST_WAIT]
    assert waits[3] < LONGEST_WAIT


UNKNOWN = story.unknown_task()
TRUTH = PollReply()


def test_a_check_that_is_passed_on_waits_for_the_usual_time(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(UNKNOWN))
    late = tracking(bench, checks=bench.song_checks(first_check=15))
    assert look(check, late) == Done(check.task_id, passed_on=True, reason=Reason.TASK_UNKNOWN)
    assert (bench.checks.records(), bench.checks.delayed) == ([], 1)


def test_a_song_is_told_once_though_it_is_checked_twice(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id)
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)
    assert look(check, follow) == Done(check.task_id, duplicate=True, ended=Status.SUCCEEDED)
    assert len(bench.bus.events()) == 1


FAILURE = story.answers(said.json_answer({"status": "FAILED", "type": "failed"}))


def test_a_failed_song_that_a_later_poll_finds_succeeds_after_all(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.succeeds().after(FAILURE))
    assert look(check, follow) == Done(check.task_id, ended=Status.FAILED)
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)
    row = bench.row(request_id)
    assert (row["status"], row["end_published"]) == ("SUCCEEDED", True)
    assert not {"reason", "detail", "vendor_code", "refunded"} & row.keys()
    assert [kind for kind, _ in events_of(bench)] == ["Song Failed", "Song Succeeded"]


def test_a_song_that_succeeded_never_fails(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id, replace(story.succeeds().after(TRUTH), every_poll=FAILURE))
    look(check, follow)
    before = bench.item(request_id)
    assert look(check, follow) == Done(check.task_id, duplicate=True, ended=Status.SUCCEEDED)
    assert bench.item(request_id) == before
    assert [kind for kind, _ in events_of(bench)] == ["Song Succeeded"]


@pytest.mark.parametrize("later", [story.says("RUNNING"), UNKNOWN, FAILURE], ids=["running", "unknown", "failed"])
def test_a_failed_song_stays_failed_for_any_other_status(
    bench: Bench, follow: Tracking, request_id: str, later: PollReply
) -> None:
    check = submitted(bench, request_id, replace(story.never_finishes().after(FAILURE), every_poll=later))
    look(check, follow)
    before = bench.item(request_id)
    overdue = replace(check, since=time.time() - TRACKING_HOURS * 3600 - 1)
    assert look(overdue, follow) == Done(check.task_id, duplicate=True, ended=Status.FAILED)
    assert bench.item(request_id) == before
    assert [kind for kind, _ in events_of(bench)] == ["Song Failed"]


def test_a_check_of_a_task_that_is_not_the_rows_changes_nothing(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    first = submitted(bench, request_id, story.never_finishes())
    other = submitted(bench, new_id("other"))
    before = bench.item(request_id)
    decision = look(replace(first, task_id=other.task_id), follow)
    assert decision == Done(other.task_id, duplicate=True, ended=Status.SUBMITTED)
    assert bench.item(request_id) == before
    assert bench.bus.events() == []
