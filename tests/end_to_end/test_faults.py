"""Failures of the network, of AWS or of the function itself, before, during and after the paid call."""

import json

from tests.end_to_end.songs import new_id, song
from tests.local.intake import SHORT_WAITS, Intake
from tests.local.intake_faults import allow, configured, denied, deny, kill_functions
from tests.local.vendor.behaviour import rate_limited
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

WRITES = ("dynamodb:UpdateItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")


def test_a_request_waits_while_connections_are_refused(intake: Intake, vendor: MusicVendor) -> None:
    vendor.refuse_connections()
    request_id = new_id("refused-connection")
    intake.send(song("Refused Connection", request_id=request_id))
    _wait_for_log(intake, request_id, "CANNOT_CONNECT")
    assert intake.row(request_id) == {}, "nothing is claimed without a connection"
    vendor.accept_connections()
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("Refused Connection")) == 1


def test_a_request_waits_while_the_host_name_does_not_resolve(intake: Intake, vendor: MusicVendor) -> None:
    request_id = new_id("no-name")
    with configured(intake, MUSIC_API_ORIGIN="https://music-api.invalid"):
        intake.send(song("No Name", request_id=request_id))
        _wait_for_log(intake, request_id, "gaierror")
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("No Name")) == 1


def test_a_function_killed_during_the_create_leaves_the_request_in_doubt_with_a_dead_letter(
    intake: Intake, vendor: MusicVendor
) -> None:
    vendor.on_create("Killed", lambda _: kill_functions(intake))
    message_id = intake.send(song("Killed"))
    for redrive in (intake.redrive, intake.redrive_by_sqs, None):
        letter = intake.wait_for_letter(message_id)
        assert letter.reason == "OUTCOME_UNKNOWN"
        assert intake.row(message_id)["status"] == "IN_DOUBT"
        assert len(vendor.attempts_of("Killed")) == 1
        if redrive:
            redrive()
    assert len(vendor.creates_of("Killed")) == 1


def test_a_ledger_that_fails_before_the_claim_costs_nothing(intake: Intake, vendor: MusicVendor) -> None:
    request_id = new_id("no-claim")
    with denied(intake, *WRITES):
        intake.send(song("No Claim", request_id=request_id))
        _wait_for_log(intake, request_id, "LEDGER_UNAVAILABLE")
        assert vendor.attempts_of("No Claim") == ()
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("No Claim")) == 1


def test_a_task_that_cannot_be_recorded_is_on_a_dead_letter_and_in_the_log(intake: Intake, vendor: MusicVendor) -> None:
    vendor.on_create("Not Recorded", lambda _: deny(intake, *WRITES))
    message_id = intake.send(song("Not Recorded"))
    try:
        letter = intake.wait_for_letter(message_id)
    finally:
        allow(intake)
    (create,) = vendor.creates_of("Not Recorded")
    assert (letter.reason, letter.attributes["task_id"]) == ("TASK_NOT_RECORDED", create.task_id)
    assert intake.row(message_id)["status"] == "SUBMITTING"
    wait_for(lambda: create.task_id in intake.log(), "the task_id to be in the log")
    intake.redrive()
    row = intake.wait_for_status(message_id, "SUBMITTED")
    assert row["task_id"] == create.task_id
    assert len(vendor.attempts_of("Not Recorded")) == 1


def test_a_message_stays_queued_while_its_dead_letter_cannot_be_sent(intake: Intake) -> None:
    with denied(intake, "sqs:SendMessage"):
        message_id = intake.send("not a song")
        _wait_for_log(intake, message_id, "DEAD_LETTER_QUEUE_UNAVAILABLE")
        assert intake.in_queue() == 1
    assert intake.wait_for_letter(message_id).reason == "INVALID_REQUEST"


def test_a_message_that_waits_is_sent_anew_before_its_receives_run_out(impatient: Intake, vendor: MusicVendor) -> None:
    vendor.plan_all(rate_limited())
    request_id = new_id("waits")
    impatient.send(song("Waits", request_id=request_id))
    # More than SQS grants one message here.
    vendor.wait_for(lambda: len(vendor.attempts_of("Waits")) > 6, timeout=60)
    assert impatient.row(request_id)["status"] in ("RETRYING", "SUBMITTING")
    assert impatient.letters() == []
    vendor.plan_all(None)
    impatient.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("Waits")) == 1


def test_a_function_that_crashes_on_every_attempt_still_sends_a_dead_letter(
    impatient: Intake, vendor: MusicVendor
) -> None:
    """The last receives before SQS's own redrive policy are reserved for the dead letter."""
    for _ in range(2):
        vendor.on_create("Crashes", lambda _: kill_functions(impatient))
    message_id = impatient.send(song("Crashes"))
    letter = impatient.wait_for_letter(message_id, seconds=60)
    assert letter.reason == "OUTCOME_UNKNOWN"
    assert len(vendor.creates_of("Crashes")) == 1


def test_a_message_that_sqs_dead_lettered_is_recognised_after_a_redrive(impatient: Intake, vendor: MusicVendor) -> None:
    """The function crashes on every receive, so SQS moves the message without attributes."""
    vendor.on_create("Always Crashes", lambda _: kill_functions(impatient))
    message_id = impatient.send(song("Always Crashes"))
    vendor.wait_for(lambda: vendor.creates_of("Always Crashes"), timeout=60)
    sqs = impatient.cloud.client("sqs")
    sqs.set_queue_attributes(QueueUrl=impatient.queue_url, Attributes={"VisibilityTimeout": "1"})
    with configured(impatient, MAX_RECEIVE_COUNT="none"):
        letter = impatient.wait_for_letter(message_id, seconds=90)
    sqs.set_queue_attributes(
        QueueUrl=impatient.queue_url, Attributes={"VisibilityTimeout": SHORT_WAITS["VisibilityTimeoutSeconds"]}
    )
    assert letter.attributes == {}
    impatient.redrive()
    assert impatient.wait_for_letter(message_id).reason == "OUTCOME_UNKNOWN"
    assert len(vendor.attempts_of("Always Crashes")) == 1


def test_an_unexpected_exception_fails_only_its_own_record(intake: Intake, vendor: MusicVendor) -> None:
    poisoned = new_id("poisoned")
    key = {"request_id": {"S": poisoned}}
    dynamodb = intake.cloud.client("dynamodb")
    # No code writes such a row: reading it raises.
    dynamodb.put_item(TableName=intake.table, Item={**key, "status": {"S": "SINGING"}, "fingerprint": {"S": "f"}})
    ids = [poisoned, *(new_id("beside-the-poisoned") for _ in range(9))]
    intake.send_all([json.dumps(song("Poisoned", request_id=request_id)) for request_id in ids])
    for request_id in ids[1:]:
        intake.wait_for_status(request_id, "SUBMITTED")
    _wait_for_log(intake, poisoned, "UNFORESEEN")
    assert len(vendor.creates_of("Poisoned")) == 9
    dynamodb.delete_item(TableName=intake.table, Key=key)
    intake.wait_for_status(poisoned, "SUBMITTED")
    assert len(vendor.creates_of("Poisoned")) == 10


def _wait_for_log(intake: Intake, request_or_message_id: str, text: str) -> None:
    def is_logged() -> bool:
        return any(request_or_message_id in line and text in line for line in intake.log().splitlines())

    wait_for(is_logged, f"{text} of {request_or_message_id} in the log", 30)
