"""The side effects of a decision about a request: the check, the dead letter and the event, on real parts."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from song_intake.outgoing.checks import SongCheck
from song_intake.work.batch import Batch
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, Bench, plenty_of_time, record_of, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE
from tests.integration.following import check_batch, look_at_all
from tests.integration.handling import failed
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour, story
from tests.signing import signed

REFUSED = behaviour.refuses(vendor_answer.LYRICS_REFUSED)


def stays(batch: Batch, request_id: str, message_id: str = "message-1", **fields: object) -> bool:
    """Whether the message is still on its queue after one delivery."""
    record = record_of(song(TITLE, request_id, **fields), message_id=message_id)
    return bool(failed(batch.handle([record], plenty_of_time)))


def checks_of(bench: Bench) -> list[SongCheck]:
    return [SongCheck.parse(record["body"]) for record in bench.checks.records()]


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.events()]


def test_a_submitted_song_has_its_check_and_its_event_before_its_message_is_done(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    began = time.time()
    assert not stays(batch, request_id, metadata={"customer": "c-1"})
    (made,) = bench.vendor.creates
    (check,) = checks_of(bench)
    assert (check.request_id, check.task_id, check.unknown_since) == (request_id, made.task_id, None)
    assert began <= check.since <= time.time()
    ((kind, detail),) = events_of(bench)
    assert kind == "Song Submitted"
    assert (detail["request_id"], detail["task_id"], detail["metadata"]) == (
        request_id,
        made.task_id,
        {"customer": "c-1"},
    )


def test_a_redriven_message_without_an_id_of_its_own_has_the_one_that_its_letter_names(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    body = song(TITLE)
    letter = {"reason": "REFUSED", "request_id": request_id, "first_message_id": "message-of-old"}
    batch.handle([record_of(body, attributes=signed(body, letter, bench.proofs))], plenty_of_time)
    assert bench.row(request_id)["status"] == "SUBMITTED"


def test_the_first_check_waits_for_the_song(bench: Bench, request_id: str) -> None:
    work = bench.request_work(checks=bench.song_checks(first_check=15))
    assert not stays(bench.batch_of(work), request_id)
    assert (checks_of(bench), bench.checks.delayed) == ([], 1)


def test_a_duplicate_of_a_submitted_song_repeats_the_check_and_the_event_with_the_same_id(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    """The first delivery may have crashed between the row and these."""
    stays(batch, request_id)
    stays(batch, request_id, "message-2")
    assert len(checks_of(bench)) == 2
    assert len({detail["id"] for _, detail in events_of(bench)}) == 1
    assert len(bench.vendor.creates) == 1


@pytest.mark.parametrize("ending", [story.succeeds(), story.fails(refunded=True)], ids=["SUCCEEDED", "FAILED"])
def test_a_duplicate_of_a_song_that_has_ended_has_no_side_effects(
    bench: Bench, batch: Batch, request_id: str, ending: story.TaskStory
) -> None:
    bench.vendor.plan_task(TITLE, ending)
    stays(batch, request_id)
    look_at_all(bench, check_batch(bench))
    bench.bus.events()
    assert not stays(batch, request_id, "message-2")
    assert (checks_of(bench), bench.bus.events()) == ([], [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda bench: bench.request_work(checks=bench.song_checks(unreachable.GONE)), "CHECKS_UNAVAILABLE"),
        (lambda bench: bench.request_work(notifier=bench.notifier(events=unreachable.events())), "EVENTS_UNAVAILABLE"),
    ],
    ids=["the queue of checks", "the bus"],
)
def test_a_message_stays_until_its_check_is_scheduled_and_its_event_published(
    bench: Bench, batch: Batch, request_id: str, broken: Callable[[Bench], Any], reason: str
) -> None:
    assert stays(bench.batch_of(broken(bench)), request_id)
    (made,) = bench.vendor.creates
    line = bench.lines()[-1]
    assert (line["reason"], line["task_id"]) == (reason, made.task_id)
    assert bench.row(request_id)["status"] == "SUBMITTED"

    bench.checks.records()
    assert not stays(batch, request_id)
    assert [check.task_id for check in checks_of(bench)] == [made.task_id]
    assert {kind for kind, _ in events_of(bench)} == {"Song Submitted"}
    assert len(bench.vendor.creates) == 1


LETTERS = [
    pytest.param(REFUSED, "Song Rejected", "REFUSED", id="refused"),
    pytest.param(behaviour.cut("start", creates=True), "Song In Doubt", "OUTCOME_UNKNOWN", id="in doubt"),
]


@pytest.mark.parametrize(("planned", "kind", "reason"), LETTERS)
def test_every_dead_letter_has_an_event_with_its_reason(
    bench: Bench, batch: Batch, request_id: str, planned: behaviour.Behaviour, kind: str, reason: str
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert not stays(batch, request_id, metadata={"customer": "c-1"})
    (letter,) = bench.letters()
    ((found, detail),) = events_of(bench)
    assert (found, detail["reason"], detail["metadata"]) == (kind, reason, {"customer": "c-1"})
    assert (letter.attributes["reason"], letter.attributes["detail"]) == (reason, detail["detail"])


def test_the_event_of_an_unreadable_message_has_its_message_id(bench: Bench, batch: Batch) -> None:
    batch.handle([record_of("not JSON", message_id="message-7")], plenty_of_time)
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["id"]) == (
        "Message Rejected",
        "INVALID_REQUEST",
        "-/MESSAGE_REJECTED/message-7",
    )
    assert detail["message_id"] == "message-7"
    assert "request_id" not in detail


def test_a_created_song_that_was_not_recorded_is_published_as_in_doubt_with_its_task(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    stays(batch, request_id)
    (made,) = bench.vendor.creates
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["task_id"]) == ("Song In Doubt", "TASK_NOT_RECORDED", made.task_id)


def test_a_dead_letter_is_sent_before_its_event_which_is_retried_until_published(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    without_events = bench.batch_of(bench.request_work(notifier=bench.notifier(events=unreachable.events())))
    assert stays(without_events, request_id)
    assert len(bench.letters()) == 1
    assert not stays(batch, request_id)
    assert [kind for kind, _ in events_of(bench)] == ["Song Rejected"]
    assert len(bench.vendor.attempts_of(TITLE)) == 1


def test_the_row_of_a_message_that_is_sent_anew_is_kept_as_long_as_that_of_a_new_one(
    bench: Bench, request_id: str, time_passes: TimePasses
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    assert stays(bench.batch(), request_id)
    expires_at = float(bench.row(request_id)["expires_at"])
    ten_days = 10 * 86_400
    time_passes(ten_days)
    bench.vendor.refuse_connections()
    record = record_of(song(TITLE, request_id), message_id="message-1", receives=FINAL_RECEIVE)
    assert not failed(bench.batch().handle([record], plenty_of_time))
    assert (bench.lines()[-1]["action"], bench.lines()[-1]["reason"]) == ("send_anew", "CANNOT_CONNECT")
    assert float(bench.row(request_id)["expires_at"]) == pytest.approx(expires_at + ten_days, abs=120)
