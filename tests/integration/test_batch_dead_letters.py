"""Dead letters of a batch on real queues: none is lost, and every redrive is safe."""

import random
from dataclasses import replace

import pytest

from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.requests import RequestQueue
from song_intake.work.batch import Batch
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, MAX_RECEIVE_COUNT, Bench, new_id, plenty_of_time, record_of, song
from tests.integration.handling import TITLE, failed, handle_all
from tests.integration.unreachable import GONE
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour


def test_a_message_stays_until_its_dead_letter_is_sent(bench: Bench, batch: Batch) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    message_id = new_id("message")
    record = record_of(song(TITLE), message_id=message_id)
    without_queue = bench.batch(dead_letter_queue_url=GONE)
    for _ in range(2):
        assert failed(without_queue.handle([record], plenty_of_time)) == {message_id}
    assert {line["reason"] for line in bench.lines()} == {"REFUSED", "DEAD_LETTER_QUEUE_UNAVAILABLE"}

    assert failed(batch.handle([record], plenty_of_time)) == set()
    (letter,) = bench.letters()
    assert (letter.attributes["reason"], letter.attributes["request_id"]) == ("REFUSED", message_id)
    assert len(bench.vendor.attempts_of(TITLE)) == 1


def test_an_invalid_message_stays_until_its_dead_letter_is_sent_too(bench: Bench) -> None:
    record = record_of("not JSON")
    assert failed(bench.batch(dead_letter_queue_url=GONE).handle([record], plenty_of_time)) == {record["messageId"]}


def test_a_message_stays_that_neither_queue_accepts_and_that_is_late(bench: Bench) -> None:
    """In the second half of its receives, a message of which a step fails is sent anew, if its queue accepts it."""
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    record = record_of(song(TITLE), receives=FINAL_RECEIVE)
    no_bus = bench.notifier(events=unreachable.events())
    batch = bench.batch_of(bench.request_work(notifier=no_bus, request_queue_url=GONE))
    assert failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}
    assert [(line["action"], line["reason"]) for line in bench.lines()] == [
        ("dead_letter", "REFUSED"),
        ("retry", "EVENTS_UNAVAILABLE"),
    ]
    accepting = bench.batch_of(bench.request_work(notifier=no_bus))
    assert failed(accepting.handle([record], plenty_of_time)) == set()
    assert bench.lines()[-1]["action"] == "send_anew"
    assert len(bench.letters()) == 1, "the letter is remembered and not repeated"


def test_a_message_whose_dead_letter_is_refused_for_good_stays_until_sqs_moves_it(bench: Bench) -> None:
    """It is not sent anew, which would keep it from being moved, and its event is not repeated."""
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    batch = bench.batch(dead_letter_queue_url=GONE)
    for receives in (FINAL_RECEIVE, MAX_RECEIVE_COUNT):
        record = record_of(song(TITLE, "one-request"), message_id="message-1", receives=receives)
        assert failed(batch.handle([record], plenty_of_time)) == {"message-1"}
        assert bench.lines()[-1]["reason"] == "DEAD_LETTER_QUEUE_UNAVAILABLE"
    assert [event["detail-type"] for event in bench.bus.events()] == ["Song Rejected"]


def test_a_task_that_neither_ledger_nor_queue_accepts_is_logged(bench: Bench) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    record = record_of(song(TITLE))
    assert failed(bench.batch(dead_letter_queue_url=GONE).handle([record], plenty_of_time)) == {record["messageId"]}
    (made,) = bench.vendor.creates
    for line, action in zip(bench.lines(), ["created", "dead_letter", "retry"], strict=True):
        assert (line["action"], line["task_id"], line["message_id"]) == (action, made.task_id, record["messageId"])


def test_a_task_that_could_not_be_recorded_nor_sent_stays_with_a_message_that_is_sent_anew(
    bench: Bench, batch: Batch, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the ledger nor the dead-letter queue answers, on one of the last receives and on that of the copy."""
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    work = bench.request_work()
    letters = DeadLetters(unreachable.sqs(), bench.dead_letters.url, bench.proofs)
    without_letters = bench.batch_of(replace(work, steps=replace(work.steps, dead_letters=letters)))
    record = record_of(song(TITLE, request_id), receives=FINAL_RECEIVE)
    for _ in range(2):
        assert failed(without_letters.handle([record], plenty_of_time)) == set()
        assert bench.lines()[-1]["action"] == "send_anew"
        (record,) = bench.wait_for_requests()
        record["attributes"]["ApproximateReceiveCount"] = str(FINAL_RECEIVE)
    bench.create_table()
    assert failed(batch.handle([record], plenty_of_time)) == set()
    (made,) = bench.vendor.creates
    row = bench.row(request_id)
    assert (row["status"], row["task_id"], len(bench.vendor.requests)) == ("SUBMITTED", made.task_id, 1)


def test_a_message_that_could_not_be_sent_anew_stays_whatever_kept_it(bench: Bench, request_id: str) -> None:
    """The copy needs a proof, and the key of the proofs cannot be read any more."""
    bench.vendor.refuse_connections()
    work, no_proofs = bench.request_work(), Proofs(SigningKeys(unreachable.secrets(), "no-key"))
    requests = RequestQueue(bench.clients().client("sqs"), bench.requests.url, no_proofs)
    record = record_of(song(TITLE, request_id), receives=FINAL_RECEIVE)
    batch = bench.batch_of(replace(work, requests=requests))
    assert failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}
    line = bench.lines()[-1]
    assert (line["action"], line["reason"]) == ("retry", "SIGNING_KEY_UNAVAILABLE")
    assert bench.receive() == []


def test_an_unrecorded_task_can_be_redriven_until_it_is_recorded(bench: Bench, batch: Batch) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    message_id = bench.send(song(TITLE))
    for _ in range(3):
        assert handle_all(bench, batch) == set()
        assert bench.redrive() == 1
    bench.create_table()
    assert handle_all(bench, batch) == set()
    (made,) = bench.vendor.creates
    row = bench.row(message_id)
    assert (row["status"], row["task_id"]) == ("SUBMITTED", made.task_id)
    assert bench.letters() == []
    assert len(bench.vendor.requests) == 1


@pytest.mark.parametrize("request_id", ["in-doubt", None], ids=["with a request_id", "without one"])
def test_a_request_in_doubt_may_be_redriven_any_number_of_times(
    bench: Bench, batch: Batch, request_id: str | None
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    first_id = bench.send(song(TITLE, request_id))
    for _ in range(4):
        assert handle_all(bench, batch) == set()
        assert bench.redrive() == 1
    assert handle_all(bench, batch) == set()
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "OUTCOME_UNKNOWN"
    assert letter.attributes["request_id"] == (request_id or first_id)
    assert letter.attributes["first_message_id"] == first_id
    assert len(bench.vendor.requests) == 1


def test_a_refused_song_that_is_redriven_is_tried_again(bench: Bench, batch: Batch) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    first_id = bench.send(song(TITLE))
    handle_all(bench, batch)
    bench.redrive()
    assert handle_all(bench, batch) == set()
    assert bench.row(first_id)["status"] == "SUBMITTED"
    assert len(bench.vendor.creates) == 1
