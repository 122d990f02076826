"""A batch on real queues: each record has its own result, and every result is reported."""

import threading
import time
from dataclasses import replace
from typing import cast

import pytest

from song_intake.contract.sqs_message import MessageAttribute, SqsRecord
from song_intake.work.batch import ANSWER_MARGIN_SECONDS, Batch
from tests.integration.bench import FINAL_RECEIVE, MAX_RECEIVE_COUNT, Bench, new_id, plenty_of_time, record_of, song
from tests.integration.handling import TITLE, failed, handle_all, unreadable_row
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour
from tests.local.waiting import wait_for


def test_an_empty_batch_gets_a_response(batch: Batch) -> None:
    assert batch.handle([], plenty_of_time) == {"batchItemFailures": []}


def test_each_record_of_a_batch_has_its_own_outcome(bench: Bench, batch: Batch) -> None:
    bench.vendor.plan("Refused", behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    bench.vendor.plan("Limited", behaviour.rate_limited())
    bench.vendor.plan("Unknown", behaviour.cut("body", creates=True))
    good = [bench.send(song(f"Good {number}")) for number in range(5)]
    refused, limited, unknown = (bench.send(song(title)) for title in ("Refused", "Limited", "Unknown"))
    bench.send('{"request_id": "invalid-1", "titel": "x"}')
    bench.send("not JSON")

    assert handle_all(bench, batch) == {limited}

    assert [bench.row(message_id)["status"] for message_id in good] == ["SUBMITTED"] * 5
    assert [bench.row(message_id)["status"] for message_id in (refused, limited, unknown)] == [
        "REJECTED",
        "RETRYING",
        "IN_DOUBT",
    ]
    letters = {(letter.attributes["reason"], letter.attributes.get("request_id")) for letter in bench.letters()}
    assert letters == {
        ("REFUSED", refused),
        ("OUTCOME_UNKNOWN", unknown),
        ("INVALID_REQUEST", "invalid-1"),
        ("INVALID_REQUEST", None),
    }
    assert len(bench.vendor.creates) == 6


def test_an_invalid_request_is_dead_lettered_with_every_error_and_its_original_body(bench: Bench, batch: Batch) -> None:
    body = ' {"titel": "x", "mv": "fuzz",\n "lyrics": "canary text" }'
    bench.send(body)
    assert handle_all(bench, batch) == set()
    (letter,) = bench.letters()
    assert letter.body == body
    assert "titel" in letter.attributes["detail"]
    assert "mv" in letter.attributes["detail"]
    assert "canary" not in repr(letter.attributes)


def test_the_records_of_a_batch_are_created_in_parallel(bench: Bench, batch: Batch) -> None:
    everyone = threading.Barrier(10)
    for number in range(10):
        # Each answer waits until all ten creates have come.
        bench.vendor.on_create(f"Song {number}", lambda _: cast("None", everyone.wait(timeout=5)))
        bench.send(song(f"Song {number}"))
    assert handle_all(bench, bench.batch(bench.submission(create_deadline=6))) == set()
    assert len(bench.vendor.creates) == 10


def test_one_request_twice_in_a_batch_is_one_create(bench: Bench, batch: Batch) -> None:
    request_id = new_id("request")
    ids = {bench.send(song(TITLE, request_id)) for _ in range(2)}
    bench.vendor.latency = 0.3
    stay = handle_all(bench, batch)
    assert len(bench.vendor.requests) == 1
    assert stay <= ids
    assert len(stay) <= 1, "the other one waits for the claim, or found it submitted"


def test_a_record_that_raises_does_not_fail_the_others(bench: Bench, batch: Batch) -> None:
    request_id = new_id("request")
    unreadable_row(bench, request_id)
    broken, good = bench.send(song(TITLE, request_id)), bench.send(song("Good"))
    assert handle_all(bench, batch) == {broken}
    assert bench.row(good)["status"] == "SUBMITTED"
    (line,) = (line for line in bench.lines() if line["message_id"] == broken)
    assert (line["level"], line["reason"], line["detail"]) == (
        "ERROR",
        "UNFORESEEN",
        "the function failed on this message (ValueError)",
    )
    assert line["frames"][-1].startswith("__")


def test_a_record_whose_parsing_crashes_does_not_fail_the_others(bench: Bench, batch: Batch) -> None:
    broken, good = record_of(cast("str", None)), record_of(song("Good"))
    assert failed(batch.handle([broken, good], plenty_of_time)) == {broken["messageId"]}


def test_a_record_whose_dead_letter_raises_fails_alone(bench: Bench, batch: Batch) -> None:
    broken, good = record_of("not JSON"), record_of(song("Good"))
    broken["messageAttributes"]["of no known shape"] = cast("MessageAttribute", None)
    assert failed(batch.handle([broken, good], plenty_of_time)) == {broken["messageId"]}
    assert bench.row(good["messageId"])["status"] == "SUBMITTED"
    assert bench.letters() == []
    last = [line for line in bench.lines() if line["message_id"] == broken["messageId"]][-1]
    assert (last["action"], last["reason"]) == ("retry", "UNFORESEEN")
    assert last["detail"] == "the record could not be reported (AttributeError)"


def test_a_message_whose_row_cannot_be_read_becomes_a_dead_letter_in_doubt(bench: Bench, batch: Batch) -> None:
    request_id = new_id("request")
    unreadable_row(bench, request_id)
    for receives, stays in ((FINAL_RECEIVE, True), (MAX_RECEIVE_COUNT - 1, True), (MAX_RECEIVE_COUNT, False)):
        record = record_of(song(TITLE, request_id), receives=receives)
        assert bool(failed(batch.handle([record], plenty_of_time))) == stays
    (letter,) = bench.letters()
    assert (letter.attributes["reason"], letter.attributes["request_id"]) == ("OUTCOME_UNKNOWN", request_id)
    (event,) = bench.bus.events()
    assert event["detail-type"] == "Song In Doubt"


def test_an_unreadable_row_does_not_lose_a_created_task(bench: Bench, batch: Batch) -> None:
    request_id = new_id("request")
    bench.vendor.on_create(TITLE, lambda _: unreadable_row(bench, request_id, task_id="of-another-time"))
    batch.handle([record_of(song(TITLE, request_id))], plenty_of_time)
    (made,) = bench.vendor.creates
    (letter,) = bench.letters()
    assert (letter.attributes["reason"], letter.attributes["task_id"]) == ("TASK_NOT_RECORDED", made.task_id)


def test_a_record_that_hangs_is_reported_while_the_others_are_acknowledged(bench: Bench) -> None:
    """The submission would wait a minute for the response, but the invocation has only seconds left."""
    batch = bench.batch(replace(bench.submission(create_deadline=60), paid_call=2.0))
    answer = threading.Event()
    bench.vendor.on_create("Hangs", lambda _: cast("None", answer.wait(30)))
    hanging, good = bench.send(song("Hangs")), bench.send(song("Good"))
    began = time.monotonic()
    try:
        assert handle_all(bench, batch, time_left=lambda: 2.5) == {hanging}
        assert time.monotonic() - began < 2.5 + ANSWER_MARGIN_SECONDS, "Lambda would have ended the function"
        assert bench.row(good)["status"] == "SUBMITTED"
        assert bench.row(hanging)["status"] == "SUBMITTING"
        (line,) = (line for line in bench.lines() if line["message_id"] == hanging)
        assert (line["action"], line["reason"]) == ("retry", "NO_TIME_LEFT")
    finally:
        answer.set()
    wait_for(lambda: bench.row(hanging)["status"] == "SUBMITTED", "the late answer to be recorded")
    assert len(bench.vendor.creates) == 2


def test_a_batch_without_time_left_returns_every_record(bench: Bench, batch: Batch) -> None:
    records = [record_of(song(f"Song {number}")) for number in range(10)]
    for _ in range(20):
        response = batch.handle(records, lambda: 0.0)
        assert failed(response) == {record["messageId"] for record in records}
    assert bench.vendor.requests == ()


def test_no_output_repeats_the_prompt_or_the_token(
    bench: Bench, batch: Batch, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "canary text"
    quoting = b'{"type": "canary text", "error": "lyrics: canary text"}'
    bench.vendor.plan("Refused", behaviour.answers(403, quoting, creates=False))
    bench.vendor.plan("Unknown", behaviour.answers(500, quoting, creates=True))
    bench.vendor.plan("Limited", behaviour.answers(429, quoting, creates=False))
    request_id = new_id("request")
    unreadable_row(bench, request_id)
    for title in ("Good", "Refused", "Unknown", "Limited"):
        bench.send(song(title, lyrics=canary))
    bench.send(song(TITLE, request_id, lyrics=canary))
    bench.send('{"lyrics": "canary text", "mv": "canary text", "canary text": 1, "title": 7}')
    bench.send('{"lyrics": "canary text')
    handle_all(bench, batch)
    letters = [letter.attributes for letter in bench.letters()]
    output = capsys.readouterr().out + bench.log.getvalue() + repr(letters)
    assert len(letters) == 4
    assert "Submitted" in output, "the output includes the metrics"
    assert canary not in output
    assert "the-token" not in output


def test_a_record_is_timed(bench: Bench, batch: Batch) -> None:
    bench.vendor.latency = 0.2
    began = time.monotonic()
    batch.handle([record_of(song(TITLE))], plenty_of_time)
    created, line = bench.lines()
    assert created["action"] == "created"
    assert 200 <= line["milliseconds"] <= (time.monotonic() - began) * 1000


def test_every_record_of_a_batch_is_one_line_with_its_ids_and_one_for_its_task(bench: Bench, batch: Batch) -> None:
    records: list[SqsRecord] = [record_of(song(f"Song {number}", f"r-{number}")) for number in range(3)]
    batch.handle(records, plenty_of_time)
    ids = {(line["request_id"], line["message_id"]) for line in bench.lines()}
    assert ids == {(f"r-{number}", record["messageId"]) for number, record in enumerate(records)}
    assert sorted(line["action"] for line in bench.lines()) == ["created"] * 3 + ["submitted"] * 3
