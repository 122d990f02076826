"""A submitted song followed to its end, or until it is given up: every row of it, on real parts."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from song_intake.decision import DeadLetter, Done, RetryIn
from song_intake.ledger_row import Status
from song_intake.reason import Reason
from song_intake.song_checks import SongCheck
from song_intake.tracking import MOST_LOOKS, Tracking
from tests.integration import unreachable
from tests.integration.bench import Bench, new_id, plenty_of_time, record_of
from tests.integration.deciding import letter_in, retry_in
from tests.integration.following import (
    FIRST_WAIT,
    LONGEST_WAIT,
    POLL_CALL,
    TRACKING_HOURS,
    body_of,
    check_batch,
    look,
    look_at_all,
    submitted,
    tracking,
)
from tests.integration.taking import failed, unreadable_row
from tests.local import vendor_answer as said
from tests.local import vendor_story as story
from tests.local.vendor_answer import Generation
from tests.local.vendor_story import PollReply, TaskStory

OVERDUE = TRACKING_HOURS * 3600 + 1


@pytest.fixture
def follow(bench: Bench) -> Tracking:
    return tracking(bench)


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.heard()]


@pytest.mark.parametrize("generation", Generation)
def test_a_song_that_is_there_is_settled_with_its_clips_and_announced(
    bench: Bench, follow: Tracking, request_id: str, generation: Generation
) -> None:
    told = story.succeeds(clips=2, generation=generation)
    check = submitted(bench, request_id, told, metadata={"customer": "c-1"}, seed="7")
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)

    row = bench.row(request_id)
    assert (row["status"], row["told"]) == ("SUCCEEDED", True)
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
    assert bench.bus.heard() == []


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


NOT_TOLD: list[tuple[PollReply, Reason]] = [
    (story.refuses(said.INTERNAL_ERROR), Reason.POLL_FAILED),
    (story.html_page(), Reason.POLL_FAILED),
    (story.cuts("body"), Reason.POLL_FAILED),
    (story.hangs(), Reason.POLL_FAILED),
    (story.refuses(said.UNAUTHORIZED), Reason.TOKEN_REFUSED),
    (story.rate_limited(), Reason.RATE_LIMITED),
]


@pytest.mark.parametrize(("reply", "reason"), NOT_TOLD, ids=["500", "a page", "cut", "hangs", "401", "429"])
def test_a_poll_that_tells_nothing_is_asked_again(
    bench: Bench, follow: Tracking, request_id: str, reply: PollReply, reason: Reason
) -> None:
    check = submitted(bench, request_id, story.succeeds().after(reply))
    assert retry_in(look(check, follow)).reason is reason
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_wait_that_the_vendor_asks_for_is_kept(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(story.rate_limited("400"), story.rate_limited("1")))
    assert [retry_in(look(check, follow)).seconds for _ in range(2)] == [400, FIRST_WAIT]


def test_a_vendor_that_cannot_be_reached_is_asked_again(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id)
    bench.vendor.refuse_connections()
    assert retry_in(look(check, follow)).reason is Reason.CANNOT_CONNECT


def test_without_a_token_nothing_is_asked(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id)
    decision = retry_in(look(check, tracking(bench, secret_id="no-such-secret")))
    assert decision.reason is Reason.TOKEN_UNAVAILABLE
    assert len(bench.vendor.requests) == 1


def test_a_token_that_was_refused_is_fetched_afresh_for_the_next_look(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    look(check, follow)
    bench.vendor.tokens.clear()
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    assert retry_in(look(check, follow)).reason is Reason.TOKEN_REFUSED
    assert retry_in(look(check, follow)).reason is Reason.NOT_FINISHED


UNKNOWN = story.unknown_task()
TRUTH = PollReply()


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize(
    ("polls", "status"),
    [
        pytest.param((UNKNOWN, TRUTH, UNKNOWN, TRUTH), "SUBMITTED", id="twice, not in a row"),
        pytest.param((UNKNOWN, UNKNOWN), "FAILED", id="twice in a row"),
        pytest.param((TRUTH, UNKNOWN, UNKNOWN), "FAILED", id="twice in a row, later"),
    ],
)
def test_a_task_that_is_unknown_twice_in_a_row_has_failed(
    bench: Bench, request_id: str, generation: Generation, polls: tuple[PollReply, ...], status: str
) -> None:
    """The queue remembers what the last poll was told, since a check is a message of its own."""
    check = submitted(bench, request_id, replace(story.never_finishes(generation), first_polls=polls))
    bench.checks.send(body_of(check))
    batch = check_batch(bench)
    for _ in polls:
        (message,) = bench.checks.records()
        if not failed(batch.take([message], plenty_of_time)):
            bench.checks.delete(message["receiptHandle"])
        else:
            _show_again(bench, message["receiptHandle"])
    row = bench.row(request_id)
    assert row["status"] == status
    assert row.get("reason") == ("TASK_UNKNOWN" if status == "FAILED" else None)
    assert len(bench.checks.records()) == (0 if status == "FAILED" else 1)


def _show_again(bench: Bench, receipt_handle: str) -> None:
    bench.sqs.change_message_visibility(QueueUrl=bench.checks.url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)


def test_a_check_that_is_passed_on_waits_for_the_usual_time(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(UNKNOWN))
    late = tracking(bench, checks=bench.song_checks(first_check=15))
    assert look(check, late) == Done(check.task_id, passed_on=True)
    assert (bench.checks.records(), bench.checks.delayed) == ([], 1)


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
    assert look(old, follow, receives=MOST_LOOKS) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_song_is_given_up_before_sqs_would_move_its_check_without_a_reason(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    assert isinstance(look(check, follow, receives=MOST_LOOKS - 1), RetryIn)
    assert letter_in(look(check, follow, receives=MOST_LOOKS)).reason is Reason.NEVER_FINISHED


def test_a_ledger_that_does_not_answer_leaves_the_check_and_it_is_done_again(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id)
    without = tracking(bench, dynamodb=unreachable.dynamodb())
    assert retry_in(look(check, without)).reason is Reason.LEDGER_UNAVAILABLE
    assert bench.bus.heard() == []
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)
    assert len(bench.bus.heard()) == 1


ENDINGS: list[Callable[[], TaskStory]] = [story.succeeds, lambda: story.fails(refunded=True)]


@pytest.mark.parametrize("ending", ENDINGS, ids=["succeeded", "failed"])
def test_an_end_that_the_bus_did_not_take_is_told_by_the_next_look(
    bench: Bench, follow: Tracking, request_id: str, ending: Callable[[], TaskStory]
) -> None:
    check = submitted(bench, request_id, ending())
    silent = check_batch(bench, tracking(bench, telling=bench.telling(events=unreachable.events())))
    record = record_of(body_of(check))
    assert failed(silent.take([record], plenty_of_time)) == {record["messageId"]}
    assert bench.lines()[-1]["reason"] == "EVENTS_UNAVAILABLE"
    assert "told" not in bench.row(request_id)

    for _ in range(2):
        assert isinstance(look(check, follow), Done)
    assert len(bench.bus.heard()) == 1
    assert bench.row(request_id)["told"] is True


def test_a_song_is_told_once_though_it_is_checked_twice(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id)
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)
    assert look(check, follow) == Done(check.task_id, duplicate=True, ended=Status.SUCCEEDED)
    assert len(bench.bus.heard()) == 1


def test_a_second_word_of_the_vendor_does_not_change_the_first(bench: Bench, follow: Tracking, request_id: str) -> None:
    failed_first = said.json_answer({"status": "FAILED", "type": "failed"})
    check = submitted(bench, request_id, story.succeeds().after(story.answers(failed_first)))
    look(check, follow)
    assert look(check, follow) == Done(check.task_id, duplicate=True, ended=Status.FAILED)
    assert bench.row(request_id)["status"] == "FAILED"
    assert [kind for kind, _ in events_of(bench)] == ["Song Failed"]


def test_a_check_that_cannot_be_passed_on_stays(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(UNKNOWN))
    record = record_of(body_of(check))
    batch = check_batch(bench, tracking(bench, checks=bench.song_checks(unreachable.GONE)))
    assert failed(batch.take([record], plenty_of_time)) == {record["messageId"]}
    assert bench.lines()[-1]["reason"] == "CHECKS_UNAVAILABLE"
    assert failed(batch.take([record], plenty_of_time)) == set(), "the vendor knows the task by now"
    assert bench.row(request_id)["status"] == "SUCCEEDED"


def test_a_letter_that_is_not_taken_leaves_the_check_and_names_the_task(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    record = record_of(body_of(replace(check, since=0)))
    batch = check_batch(bench, dead_letter_queue_url=unreachable.GONE)
    assert failed(batch.take([record], plenty_of_time)) == {record["messageId"]}
    line = bench.lines()[-1]
    assert (line["reason"], line["task_id"]) == ("DEAD_LETTER_QUEUE_UNAVAILABLE", check.task_id)
    assert failed(check_batch(bench).take([record], plenty_of_time)) == set()
    assert len(bench.dead_checks.letters()) == 1


def test_a_check_of_a_task_that_is_not_the_rows_changes_nothing(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    first = submitted(bench, request_id, story.never_finishes())
    other = submitted(bench, new_id("other"))
    before = bench.item(request_id)
    decision = look(replace(first, task_id=other.task_id), follow)
    assert decision == Done(other.task_id, duplicate=True, ended=Status.SUBMITTED)
    assert bench.item(request_id) == before
    assert bench.bus.heard() == []


def test_a_check_of_no_request_becomes_a_letter_and_no_row(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id)
    letter = letter_in(look(replace(check, request_id="nobodys"), follow))
    assert letter == DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id=check.task_id)
    assert bench.item("nobodys") == {}


def test_a_check_that_raises_or_cannot_be_read_stays_and_fails_alone(bench: Bench, request_id: str) -> None:
    broken_row = new_id("request")
    good = record_of(body_of(submitted(bench, request_id)))
    other = submitted(bench, broken_row)
    unreadable_row(bench, broken_row, task_id=other.task_id)
    unreadable, broken = record_of("not JSON"), record_of(body_of(other))
    stay = failed(check_batch(bench).take([unreadable, good, broken], plenty_of_time))
    assert stay == {unreadable["messageId"], broken["messageId"]}
    assert bench.row(request_id)["status"] == "SUCCEEDED"


def test_a_look_is_not_begun_with_too_little_time(bench: Bench, request_id: str) -> None:
    record = record_of(body_of(submitted(bench, request_id)))
    batch = check_batch(bench)
    assert failed(batch.take([record], lambda: POLL_CALL - 0.01)) == {record["messageId"]}
    assert bench.row(request_id)["status"] == "SUBMITTED"
    assert failed(batch.take([record], lambda: POLL_CALL)) == set()


def test_nothing_that_is_told_repeats_the_prompt(
    bench: Bench, request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.vendor.plan_task("Night Train", story.succeeds())
    check = submitted(bench, request_id, lyrics="canary words")
    assert failed(check_batch(bench).take([record_of(body_of(check))], plenty_of_time)) == set()
    told = repr((bench.item(request_id), bench.bus.heard())) + bench.log.getvalue() + capsys.readouterr().out
    assert "Succeeded" in told
    assert "canary words" not in told
    assert "slow folk" not in told
