"""How long a message that is tried again stays hidden on its real queue."""

import random

import pytest

from song_intake.work.batch import Batch
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.taking import TITLE, failed, take_all
from tests.local.vendor import behaviour
from tests.local.waiting import wait_for


@pytest.fixture
def no_jitter_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


@pytest.mark.usefixtures("no_jitter_no_wait")
def test_messages_that_need_not_wait_are_seen_again_at_once_however_many(bench: Bench, batch: Batch) -> None:
    """Received, they were hidden for 30 seconds; what makes them visible is the batch alone, ten at a call."""
    bench.vendor.plan_all(behaviour.rate_limited())
    ids = {bench.send(song(f"Song {number}")) for number in range(12)}
    assert take_all(bench, batch) == ids
    again = bench.receive()
    assert {record["messageId"] for record in again} == ids
    assert {record["attributes"]["ApproximateReceiveCount"] for record in again} == {"2"}


def test_a_message_that_must_wait_is_hidden_beyond_the_queues_own_time(bench: Bench, batch: Batch) -> None:
    bench.sqs.set_queue_attributes(QueueUrl=bench.requests.url, Attributes={"VisibilityTimeout": "1"})
    bench.vendor.plan("Waits", behaviour.rate_limited("600"))
    waits = bench.send(song("Waits"))
    records = bench.receive()
    # Another message, received after it and left alone, shows when the queue's own time is over for both.
    left_alone = bench.send(song("Left Alone"))
    bench.receive()
    assert failed(batch.handle(records, plenty_of_time)) == {waits}
    seen = wait_for(bench.receive, "the message that was left alone")
    assert [record["messageId"] for record in seen] == [left_alone]


def test_a_queue_that_does_not_change_a_visibility_still_gets_its_answer(bench: Bench) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    limited, good = record_of(song(TITLE)), record_of(song("Good"))
    batch = bench.batch()
    bench.sqs.delete_queue(QueueUrl=bench.requests.url)
    assert failed(batch.handle([limited, good], plenty_of_time)) == {limited["messageId"]}
    assert [line["action"] for line in bench.lines()].count("change_visibility") == 1
