"""How long a retried message stays hidden on its real queue."""

import random

import pytest

from song_intake.work.batch import Batch
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.handling import TITLE, failed, handle_all
from tests.local.vendor import behaviour
from tests.local.waiting import wait_for


@pytest.fixture
def no_jitter_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


@pytest.mark.usefixtures("no_jitter_no_wait")
def test_any_number_of_messages_without_a_wait_is_visible_at_once(bench: Bench, batch: Batch) -> None:
    """The queue hides them for 30 seconds. Only the batch makes them visible again, ten per call."""
    bench.vendor.plan_all(behaviour.rate_limited())
    ids = {bench.send(song(f"Song {number}")) for number in range(12)}
    assert handle_all(bench, batch) == ids
    again = bench.receive()
    assert {record["messageId"] for record in again} == ids
    assert {record["attributes"]["ApproximateReceiveCount"] for record in again} == {"2"}


def test_a_message_that_must_wait_is_hidden_beyond_the_queues_own_timeout(bench: Bench, batch: Batch) -> None:
    bench.sqs.set_queue_attributes(QueueUrl=bench.requests.url, Attributes={"VisibilityTimeout": "1"})
    bench.vendor.plan("Waits", behaviour.rate_limited("600"))
    waits = bench.send(song("Waits"))
    records = bench.receive()
    # A second message, received later and not handled, is visible when the queue's own timeout is over for both.
    unhandled = bench.send(song("Unhandled"))
    bench.receive()
    assert failed(batch.handle(records, plenty_of_time)) == {waits}
    seen = wait_for(bench.receive, "the unhandled message")
    assert [record["messageId"] for record in seen] == [unhandled]


def test_a_failed_visibility_change_does_not_change_the_response(bench: Bench) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    limited, good = record_of(song(TITLE)), record_of(song("Good"))
    batch = bench.batch()
    bench.sqs.delete_queue(QueueUrl=bench.requests.url)
    assert failed(batch.handle([limited, good], plenty_of_time)) == {limited["messageId"]}
    (line,) = (line for line in bench.all_lines() if line["action"] == "change_visibility")
    assert (line["messages"], "NonExistentQueue" in line["reason"]) == (1, True)


def test_messages_that_sqs_refuses_to_hide_are_logged_by_their_codes(bench: Bench) -> None:
    """The call succeeds, but a receipt handle is none that SQS gave."""
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    bench.vendor.plan("Real", behaviour.rate_limited())
    bench.send(song("Real"))
    records = [record_of(song(TITLE)), *bench.receive()]
    response = bench.batch().handle(records, plenty_of_time)
    assert failed(response) == {record["messageId"] for record in records}
    (line,) = (line for line in bench.all_lines() if line["action"] == "change_visibility")
    assert (line["reason"], line["messages"]) == ("ReceiptHandleIsInvalid", 1)
