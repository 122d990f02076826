"""Song requests on the whole path: local AWS, the shipped template, the real runtime client, a real HTTPS server."""

import json
import sys
from typing import Any

import pytest

from tests.end_to_end.conftest import leaks
from tests.end_to_end.songs import SOUND, new_id, song
from tests.load.usage import Sample, growth, sample_of
from tests.local.intake import Intake, sample
from tests.local.intake_alarms import AlarmWatch
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

SAMPLES = json.loads(sample("expected.json"))


def test_every_sample_ends_as_its_index_expects(
    tracking: Intake, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    intake = tracking
    ids = {one["file"]: intake.send(sample(one["file"])) for one in SAMPLES if "status" in one}
    intake.wait_until_empty()
    ids |= {one["file"]: intake.send(sample(one["file"])) for one in SAMPLES if "reason" in one}
    intake.wait_until_empty()
    wait_for(lambda: intake.checks() == 0, "every song to end")
    task_ids = {create.task_id for create in vendor.creates}
    tasks_recorded = set()
    for one in SAMPLES:
        with subtests.test(one["file"]):
            if "reason" in one:
                assert intake.wait_for_letter(ids[one["file"]]).reason == one["reason"]
            else:
                row = _row_of(intake, one["file"], ids[one["file"]])
                assert row["status"] == one["status"]
                assert row["task_id"] in task_ids
                tasks_recorded.add(row["task_id"])
    assert tasks_recorded == task_ids, "the vendor created a song that is on no row"
    assert len(task_ids) == len(vendor.creates)


def _row_of(intake: Intake, file: str, message_id: str) -> dict[str, Any]:
    if own := intake.row(message_id):
        return own
    text = sample(file)
    rows = [row for row in intake.rows() if row["request_id"] in text]
    assert len(rows) == 1, f"{file}: {len(rows)} rows have an id of this message"
    return rows[0]


def test_a_row_holds_the_task_the_message_and_the_metadata(intake: Intake, vendor: MusicVendor) -> None:
    request_id = new_id("whole-row")
    message_id = intake.send(song("Whole Row", request_id=request_id, metadata={"customer": "c-1042"}))
    row = intake.wait_for_status(request_id, "SUBMITTED")
    (create,) = vendor.creates_of("Whole Row")
    assert row["task_id"] == create.task_id
    assert row["message_id"] == message_id
    assert row["metadata"] == {"customer": {"S": "c-1042"}}
    assert row["attempt"] == "1"
    assert "lease_until" not in row
    assert set(create.body) == {"task_type", "title", "sound", "lyrics"}, "our own fields are not sent to the vendor"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"sound": "a", "title": 1, "mv": "FUZZ", "seed": 7, "weirdness": 2, "lyrics_strength": "x"}', "5 errors"),
        ("not json", "must be JSON"),
        ('["sound"]', "must be an object"),
        (json.dumps({"sound": "a" * 1_000_000}), "must be at most"),
        ('{"sound": "a", "sound": "b"}', "twice"),
        ('{"sound": "a", "weirdness": NaN}', "NaN"),
        ('{"sound": "\\ud83d"}', "surrogate"),
        ('{"sonud": "a", "lyrics": "b"}', "did you mean 'sound'?"),
    ],
    ids=["five errors", "not JSON", "an array", "1 MB", "duplicate keys", "NaN", "lone surrogate", "unknown field"],
)
def test_an_invalid_request_is_a_dead_letter_and_the_rest_of_its_batch_is_submitted(
    intake: Intake, vendor: MusicVendor, body: str, detail: str
) -> None:
    ids = [new_id("beside-an-invalid-one") for _ in range(9)]
    message_id = intake.send(body)
    intake.send_all([json.dumps(song("Beside an Invalid One", request_id=request_id)) for request_id in ids])
    letter = intake.wait_for_letter(message_id)
    assert letter.reason == "INVALID_REQUEST"
    assert detail in letter.attributes["detail"]
    assert letter.body == body
    for request_id in ids:
        intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates) == len(ids)


def test_a_request_that_is_sent_many_times_is_one_song(intake: Intake, vendor: MusicVendor) -> None:
    request_id = new_id("many-times")
    for _ in range(5):
        intake.send(song("Many Times", request_id=request_id))
    intake.wait_until_empty()
    assert len(vendor.creates_of("Many Times")) == 1
    assert intake.letters() == []
    intake.send(song("Many Times", request_id=request_id))
    intake.wait_until_empty()
    assert len(vendor.creates_of("Many Times")) == 1


def test_a_message_that_is_delivered_twice_at_once_and_again_later_is_one_song(
    intake: Intake, vendor: MusicVendor
) -> None:
    record = _record(intake, song("Delivered Twice"), message_id=new_id("delivery"))
    vendor.on_create("Delivered Twice", lambda _: held.append(_invoke(intake, record)))
    held: list[Any] = []
    assert _invoke(intake, record) == {"batchItemFailures": []}
    assert held == [{"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}], "the second waits for the first"
    assert _invoke(intake, record) == {"batchItemFailures": []}
    assert len(vendor.creates_of("Delivered Twice")) == 1


def _record(intake: Intake, body: dict[str, object], message_id: str) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "of-a-manual-delivery",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": intake.stack.outputs["SongRequestsQueueArn"],
    }


def _invoke(intake: Intake, record: dict[str, Any]) -> Any:
    """Delivers the record to the function directly, because SQS cannot be made to deliver it twice at once."""
    response = intake.cloud.client("lambda").invoke(
        FunctionName=intake.stack.outputs["SubmitSongFunctionName"], Payload=json.dumps({"Records": [record]})
    )
    return json.loads(response["Payload"].read())


def test_another_song_with_a_used_request_id_is_a_dead_letter(intake: Intake, vendor: MusicVendor) -> None:
    request_id = new_id("used")
    intake.send(song("The First", request_id=request_id))
    intake.wait_for_status(request_id, "SUBMITTED")
    intake.send(song("The Second", request_id=request_id))
    assert intake.wait_for_letter(request_id).reason == "REQUEST_ID_REUSED"
    assert vendor.attempts_of("The Second") == ()


def test_a_thousand_requests_at_once_are_a_thousand_songs(intake: Intake, vendor: MusicVendor) -> None:
    watch = AlarmWatch(intake)
    ids = [new_id("thousand") for _ in range(1_000)]
    intake.send_all([json.dumps(song("One of a Thousand", request_id=request_id)) for request_id in ids])
    samples = [_sample_at(created, intake, vendor) for created in (300, 400, 500, 800, 900, 1_000)]
    intake.wait_until_empty()
    rows = {row["request_id"]: row for row in intake.rows()}
    assert {rows[request_id]["status"] for request_id in ids} == {"SUBMITTED"}
    assert {rows[request_id]["task_id"] for request_id in ids} == {create.task_id for create in vendor.creates}
    assert len(vendor.creates) == len(ids)
    watch.assert_quiet("Submitted")
    grown = [one for one in growth(samples[:3], samples[3:]) if one.function.startswith(intake.stack.name)]
    assert grown or sys.platform != "linux"
    # A pool may still open a connection. What leaks with each request would be more than that.
    assert all(one.of_memory < 10 and one.descriptors < 20 for one in grown), grown


def _sample_at(created: int, intake: Intake, vendor: MusicVendor) -> Sample:
    """What the function processes use when so many songs have been created."""
    vendor.wait_for(lambda: len(vendor.creates) >= created, timeout=90)
    return sample_of(intake.cloud.function_process_ids())


def test_the_search_for_leaks_finds_one(intake: Intake) -> None:
    """The check after each test can fail: metadata is kept on the row, so a canary in it must be found."""
    request_id = new_id("leak")
    intake.send(song("A Leak", request_id=request_id, metadata={"note": SOUND}))
    intake.wait_for_status(request_id, "SUBMITTED")
    assert leaks(intake) == [f"{SOUND} in table"]
    intake.cloud.client("dynamodb").delete_item(TableName=intake.table, Key={"request_id": {"S": request_id}})
    wait_for(lambda: not leaks(intake), "the leak to be gone")
