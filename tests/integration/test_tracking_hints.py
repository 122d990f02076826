"""A check with a webhook's hint, as track_song decides it, on real parts: whether it stays, ends, or is passed on."""

import time
from dataclasses import replace

import pytest

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Done
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.domain.task import Failed, NoAnswer, NoSuchTask, Running, TaskState
from song_intake.outgoing.checks import SongCheck
from song_intake.work.own_queue_work import MOST_RECEIVES
from tests.integration import unreachable
from tests.integration.bench import Bench
from tests.integration.conftest import TimePasses
from tests.integration.decisions import letter_in, retry_in
from tests.integration.following import body_of, check_batch, look, look_at_all, tracking
from tests.integration.ledger_case import brought_to
from tests.integration.test_tracking_unknown import SUCCESS, ScriptedApi
from tests.integration.test_webhook_hints import TASK, hinted

S = Status
A_WEEK = 7 * 24 * 3600.0
NO_STATUS = NoAnswer(Reason.POLL_FAILED, 502)


def left_on_the_queue(bench: Bench, check: SongCheck, *states: TaskState) -> tuple[int, list[SongCheck]]:
    """How many of the check's messages stay after a poll, and the checks that follow it."""
    by = replace(tracking(bench), music_api=ScriptedApi(*states))
    bench.checks.send(body_of(check))
    stay = look_at_all(bench, check_batch(bench, by))
    return len(stay), [SongCheck.parse(record["body"]) for record in bench.checks.records()]


@pytest.mark.parametrize("state", [Running(), Running(unknown_status=True), NoSuchTask(404)], ids=repr)
def test_a_webhook_of_a_song_that_is_tracked_leaves_no_second_check(bench: Bench, state: TaskState) -> None:
    case = brought_to(bench, S.SUBMITTED)
    before = case.item
    assert left_on_the_queue(bench, hinted(case), state) == (0, [])
    assert (case.item, bench.dead_checks.letters()) == (before, [])


def test_a_webhook_of_a_song_that_is_tracked_ends_it_at_once(bench: Bench) -> None:
    for end, status in ((SUCCESS, "SUCCEEDED"), (Failed("failed", refunded=None), "FAILED")):
        case = brought_to(bench, S.SUBMITTED)
        assert left_on_the_queue(bench, hinted(case), end) == (0, [])
        assert (case.row["status"], case.stored_row().is_notified) == (status, True)


def test_a_webhooks_poll_without_a_status_is_repeated_and_gives_nothing_up(bench: Bench) -> None:
    case = brought_to(bench, S.SUBMITTED)
    check, by = hinted(case), replace(tracking(bench), music_api=ScriptedApi(NO_STATUS))
    assert retry_in(look(check, by)).reason is Reason.POLL_FAILED
    old = replace(check, since=time.time() - 2 * A_WEEK)
    assert retry_in(look(old, by, receives=MOST_RECEIVES - 1)).reason is Reason.POLL_FAILED
    assert look(check, by, receives=MOST_RECEIVES) == Done(TASK, duplicate=True)
    assert (bench.checks.records(), "reason" in case.row) == ([], False)


@pytest.mark.parametrize("start", [S.IN_DOUBT, S.SUBMITTING])
def test_a_webhook_that_settles_a_doubt_has_the_song_tracked(bench: Bench, start: Status) -> None:
    case = brought_to(bench, start)
    check, by = hinted(case), replace(tracking(bench), music_api=ScriptedApi(Running(), NoSuchTask(404), SUCCESS))
    assert retry_in(look(check, by)).reason is Reason.NOT_FINISHED
    passed_on = look(check, by, receives=2)
    assert passed_on == Done(TASK, passed_on=True, reason=Reason.TASK_UNKNOWN)
    (follow_up,) = [SongCheck.parse(record["body"]) for record in bench.checks.records()]
    assert (follow_up.task_id, follow_up.hint) == (TASK, None)
    assert look(follow_up, by) == Done(TASK, ended=S.SUCCEEDED)
    assert [detail["status"] for detail in bench.bus.details()] == ["SUBMITTED", "SUCCEEDED"]


def test_while_the_ledger_is_away_a_hint_waits_and_is_passed_on_whole(bench: Bench, time_passes: TimePasses) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    check = hinted(case)
    away = replace(tracking(bench, dynamodb=unreachable.dynamodb()), music_api=ScriptedApi(Running()))
    assert retry_in(look(check, away)).reason is Reason.LEDGER_UNAVAILABLE
    assert look(check, away, receives=MOST_RECEIVES) == Done(TASK, passed_on=True, reason=Reason.LEDGER_UNAVAILABLE)
    (passed_on,) = [SongCheck.parse(record["body"]) for record in bench.checks.records()]
    assert passed_on == check
    back = replace(tracking(bench), music_api=ScriptedApi(Running()))
    assert retry_in(look(passed_on, back)).reason is Reason.NOT_FINISHED
    assert case.row["status"] == "SUBMITTED"
    time_passes(A_WEEK + 25 * 3600)
    assert letter_in(look(check, away)).reason is Reason.RETRIES_EXHAUSTED


def test_a_redriven_letter_still_has_its_hint(bench: Bench) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    by = replace(tracking(bench), music_api=ScriptedApi(Running()))
    letter = {"reason": "RETRIES_EXHAUSTED", "first_message_id": "m-1"}
    assert retry_in(look(hinted(case), by, attributes=letter)).reason is Reason.NOT_FINISHED
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)


def test_a_hint_of_no_row_becomes_a_dead_letter_that_names_the_task(bench: Bench) -> None:
    check = hinted(brought_to(bench, None))
    letter = letter_in(look(check, tracking(bench)))
    assert (letter.reason, letter.task_id) == (Reason.NO_SUCH_REQUEST, TASK)


def test_a_hint_is_recorded_though_no_time_is_left_to_poll(bench: Bench) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    api = ScriptedApi(SUCCESS)
    check = hinted(case)
    by = replace(tracking(bench), music_api=api)
    bench.checks.send(body_of(check))
    (record,) = bench.checks.records()
    left = iter([60.0, 1.0])
    work = check_batch(bench, by).work
    report = work.decide(Message.of(record), lambda: next(left, 1.0))
    assert retry_in(report.decision).reason is Reason.NO_TIME_LEFT
    assert (case.row["status"], api.polls) == ("SUBMITTED", 0)
