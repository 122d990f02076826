"""What follows from the decision about a request: the check, the letter, the event, on real parts."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from song_intake.outgoing.checks import SongCheck
from song_intake.work.batch import Batch
from tests.integration import unreachable
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.deciding import TITLE
from tests.integration.following import check_batch, look_at_all
from tests.integration.taking import failed
from tests.local.vendor import answer as said
from tests.local.vendor import behaviour, story

REFUSED = behaviour.refuses(said.LYRICS_REFUSED)


def stays(batch: Batch, request_id: str, message_id: str = "message-1", **fields: object) -> bool:
    """Whether the message is still on its queue after one delivery of it."""
    record = record_of(song(TITLE, request_id, **fields), message_id=message_id)
    return bool(failed(batch.handle([record], plenty_of_time)))


def checks_of(bench: Bench) -> list[SongCheck]:
    return [SongCheck.parse(record["body"]) for record in bench.checks.records()]


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.record_outcome()]


def test_a_submitted_song_is_checked_and_announced_before_its_message_is_done(
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


def test_the_first_check_waits_for_the_song(bench: Bench, request_id: str) -> None:
    work = bench.request_work(checks=bench.song_checks(first_check=15))
    assert not stays(bench.batch_of(work), request_id)
    assert (checks_of(bench), bench.checks.delayed) == ([], 1)


def test_a_duplicate_of_a_submitted_song_is_checked_and_announced_again_under_the_same_id(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    """The first delivery may have died between the row and these."""
    stays(batch, request_id)
    stays(batch, request_id, "message-2")
    assert len(checks_of(bench)) == 2
    assert len({detail["id"] for _, detail in events_of(bench)}) == 1
    assert len(bench.vendor.creates) == 1


@pytest.mark.parametrize("ending", [story.succeeds(), story.fails(refunded=True)], ids=["SUCCEEDED", "FAILED"])
def test_a_duplicate_of_a_song_that_has_ended_is_done_and_nothing_more(
    bench: Bench, batch: Batch, request_id: str, ending: story.TaskStory
) -> None:
    bench.vendor.plan_task(TITLE, ending)
    stays(batch, request_id)
    look_at_all(bench, check_batch(bench))
    bench.bus.record_outcome()
    assert not stays(batch, request_id, "message-2")
    assert (checks_of(bench), bench.bus.record_outcome()) == ([], [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda bench: bench.request_work(checks=bench.song_checks(unreachable.GONE)), "CHECKS_UNAVAILABLE"),
        (lambda bench: bench.request_work(notifier=bench.notifier(events=unreachable.events())), "EVENTS_UNAVAILABLE"),
    ],
    ids=["the queue of checks", "the bus"],
)
def test_a_submission_that_cannot_be_followed_or_told_stays_until_it_is(
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
def test_every_letter_is_announced_with_its_reason(
    bench: Bench, batch: Batch, request_id: str, planned: behaviour.Behaviour, kind: str, reason: str
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert not stays(batch, request_id, metadata={"customer": "c-1"})
    (letter,) = bench.letters()
    ((told, detail),) = events_of(bench)
    assert (told, detail["reason"], detail["metadata"]) == (kind, reason, {"customer": "c-1"})
    assert (letter.attributes["reason"], letter.attributes["detail"]) == (reason, detail["detail"])


def test_a_message_that_is_no_request_is_announced_under_its_message(bench: Bench, batch: Batch) -> None:
    batch.handle([record_of("not JSON", message_id="message-7")], plenty_of_time)
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["id"]) == ("Song Rejected", "INVALID_REQUEST", "-/REJECTED/message-7")
    assert "request_id" not in detail


def test_a_song_that_was_made_and_not_recorded_is_announced_as_open_with_its_task(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    stays(batch, request_id)
    (made,) = bench.vendor.creates
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["task_id"]) == ("Song In Doubt", "TASK_NOT_RECORDED", made.task_id)


def test_a_letter_is_there_before_its_event_which_is_repeated_until_the_bus_takes_it(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    silent = bench.batch_of(bench.request_work(notifier=bench.notifier(events=unreachable.events())))
    assert stays(silent, request_id)
    assert len(bench.letters()) == 1
    assert not stays(batch, request_id)
    assert [kind for kind, _ in events_of(bench)] == ["Song Rejected"]
    assert len(bench.vendor.requests) == 1
