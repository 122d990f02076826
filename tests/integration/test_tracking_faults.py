"""A look at a song where something fails: the check stays, and all of it is done again, on real parts."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from song_intake.domain.decision import DeadLetter, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.checks import SongCheck
from song_intake.work.own_queue_work import LAST_RECEIVES, MOST_RECEIVES
from song_intake.work.tracking import Tracking
from tests.integration import unreachable
from tests.integration.bench import Bench, new_id, plenty_of_time, record_of
from tests.integration.decisions import letter_in, retry_in
from tests.integration.following import (
    FIRST_WAIT,
    POLL_CALL,
    TRACKING_HOURS,
    body_of,
    check_batch,
    look,
    look_at_all,
    submitted,
    tracking,
)
from tests.integration.handling import failed, unreadable_row
from tests.local.vendor import answer as said
from tests.local.vendor import story
from tests.local.vendor.story import PollReply, TaskStory


@pytest.fixture
def follow(bench: Bench) -> Tracking:
    return tracking(bench)


NOT_TOLD: list[tuple[PollReply, Reason]] = [
    (story.refuses(said.INTERNAL_ERROR), Reason.POLL_FAILED),
    (story.html_page(), Reason.POLL_FAILED),
    (story.cuts("body"), Reason.POLL_FAILED),
    (story.refuses(said.UNAUTHORIZED), Reason.TOKEN_REFUSED),
    (story.rate_limited(), Reason.RATE_LIMITED),
]


@pytest.mark.parametrize(("reply", "reason"), NOT_TOLD, ids=["500", "a page", "cut", "401", "429"])
def test_a_poll_that_tells_nothing_is_asked_again(
    bench: Bench, follow: Tracking, request_id: str, reply: PollReply, reason: Reason
) -> None:
    check = submitted(bench, request_id, story.succeeds().after(reply))
    assert retry_in(look(check, follow)).reason is reason
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_poll_that_hangs_is_given_up_and_asked_again(bench: Bench, follow: Tracking, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(story.hangs()))
    assert retry_in(look(check, tracking(bench, poll_deadline=0.5))).reason is Reason.POLL_FAILED
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_wait_that_the_vendor_asks_for_is_kept_up_to_a_limit(bench: Bench, follow: Tracking, request_id: str) -> None:
    replies = [story.rate_limited(seconds) for seconds in ("400", "1", "86400")]
    check = submitted(bench, request_id, story.succeeds().after(*replies))
    assert [retry_in(look(check, follow)).seconds for _ in replies] == [400, FIRST_WAIT, 900]


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


def test_a_ledger_that_does_not_answer_leaves_the_check_and_it_is_done_again(
    bench: Bench, follow: Tracking, request_id: str
) -> None:
    check = submitted(bench, request_id)
    without = tracking(bench, dynamodb=unreachable.dynamodb())
    assert retry_in(look(check, without)).reason is Reason.LEDGER_UNAVAILABLE
    assert bench.bus.events() == []
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)
    assert len(bench.bus.events()) == 1


def test_a_ledger_that_does_not_answer_long_after_the_last_poll_leaves_a_letter(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id)
    without = tracking(bench, dynamodb=unreachable.dynamodb())
    last_poll = time.time() - TRACKING_HOURS * 3600
    assert isinstance(look(replace(check, since=last_poll - 167 * 3600), without), RetryIn)
    letter = letter_in(look(replace(check, since=last_poll - 169 * 3600), without))
    assert (letter.reason, letter.task_id) == (Reason.RETRIES_EXHAUSTED, check.task_id)
    assert "the ledger did not answer" in letter.detail


@pytest.mark.parametrize("without", ["ledger", "vendor"])
def test_a_check_that_gets_no_answer_is_sent_again_before_its_receives_run_out(
    bench: Bench, request_id: str, without: str
) -> None:
    """An outage that all songs share ends no song."""
    check = submitted(bench, request_id)
    by = tracking(bench, dynamodb=unreachable.dynamodb() if without == "ledger" else None)
    if without == "vendor":
        bench.vendor.refuse_connections()
    bench.checks.records()
    decision = look(check, by, receives=MOST_RECEIVES)
    assert isinstance(decision, Done)
    assert decision.passed_on
    (anew,) = bench.checks.records()
    assert SongCheck.parse(anew["body"], 0.0) == check
    assert bench.bus.events() == []


@pytest.mark.parametrize("fault", ["bus", "not a check"])
def test_a_check_that_fails_until_its_last_receive_becomes_a_letter_with_a_reason(
    bench: Bench, request_id: str, fault: str
) -> None:
    check = submitted(bench, request_id)
    broken = {
        "bus": lambda: tracking(bench, notifier=bench.notifier(events=unreachable.events())),
        "not a check": lambda: tracking(bench),
    }[fault]()
    body = "not JSON" if fault == "not a check" else body_of(check)
    batch = check_batch(bench, broken)
    for receives, stays in ((LAST_RECEIVES - 1, True), (LAST_RECEIVES, False)):
        record = record_of(body, receives=receives)
        assert (failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}) is stays
    (letter,) = bench.dead_checks.letters()
    assert (letter.body, letter.attributes["reason"]) == (body, "RETRIES_EXHAUSTED")

    bench.checks.send(letter.body, letter.attributes)
    look_at_all(bench, check_batch(bench))
    assert bench.row(request_id)["status"] == ("SUBMITTED" if fault == "not a check" else "SUCCEEDED")


ENDINGS: list[Callable[[], TaskStory]] = [story.succeeds, lambda: story.fails(refunded=True)]


@pytest.mark.parametrize("ending", ENDINGS, ids=["succeeded", "failed"])
def test_an_end_that_the_bus_did_not_take_is_told_by_the_next_look(
    bench: Bench, follow: Tracking, request_id: str, ending: Callable[[], TaskStory]
) -> None:
    check = submitted(bench, request_id, ending())
    silent = check_batch(bench, tracking(bench, notifier=bench.notifier(events=unreachable.events())))
    record = record_of(body_of(check))
    assert failed(silent.handle([record], plenty_of_time)) == {record["messageId"]}
    assert bench.lines()[-1]["reason"] == "EVENTS_UNAVAILABLE"
    assert "end_published" not in bench.row(request_id)

    for _ in range(2):
        assert isinstance(look(check, follow), Done)
    assert len(bench.bus.events()) == 1
    assert bench.row(request_id)["end_published"] is True


def test_a_check_that_cannot_be_passed_on_stays(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.succeeds().after(UNKNOWN))
    record = record_of(body_of(check))
    batch = check_batch(bench, tracking(bench, checks=bench.song_checks(unreachable.GONE)))
    assert failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}
    assert bench.lines()[-1]["reason"] == "CHECKS_UNAVAILABLE"
    assert failed(batch.handle([record], plenty_of_time)) == set(), "the vendor knows the task by now"
    assert bench.row(request_id)["status"] == "SUCCEEDED"


def test_a_letter_that_is_not_taken_leaves_the_check_and_names_the_task(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id, story.never_finishes())
    record = record_of(body_of(replace(check, since=0)))
    batch = check_batch(bench, dead_letter_queue_url=unreachable.GONE)
    assert failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}
    line = bench.lines()[-1]
    assert (line["reason"], line["task_id"]) == ("DEAD_LETTER_QUEUE_UNAVAILABLE", check.task_id)
    assert failed(check_batch(bench).handle([record], plenty_of_time)) == set()
    assert len(bench.dead_checks.letters()) == 1


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
    stay = failed(check_batch(bench).handle([unreadable, good, broken], plenty_of_time))
    assert stay == {unreadable["messageId"], broken["messageId"]}
    assert bench.row(request_id)["status"] == "SUCCEEDED"


def test_a_look_is_not_begun_with_too_little_time(bench: Bench, request_id: str) -> None:
    record = record_of(body_of(submitted(bench, request_id)))
    batch = check_batch(bench)
    assert failed(batch.handle([record], lambda: POLL_CALL - 0.01)) == {record["messageId"]}
    assert bench.row(request_id)["status"] == "SUBMITTED"
    assert failed(batch.handle([record], lambda: POLL_CALL)) == set()


def test_nothing_that_is_told_repeats_the_prompt(
    bench: Bench, request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.vendor.plan_task("Night Train", story.succeeds())
    check = submitted(bench, request_id, lyrics="canary words")
    assert failed(check_batch(bench).handle([record_of(body_of(check))], plenty_of_time)) == set()
    told = repr((bench.item(request_id), bench.bus.events())) + bench.log.getvalue() + capsys.readouterr().out
    assert "Succeeded" in told
    assert "canary words" not in told
    assert "slow folk" not in told
