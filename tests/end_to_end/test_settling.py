"""What was unknown becomes known: by the vendor's own word, or by an operator's."""

import json
from typing import Any

import pytest

from tests.end_to_end.songs import LYRICS, SOUND, new_id, song
from tests.local.cloud.event_listener import EventListener
from tests.local.intake import Intake
from tests.local.intake_faults import kill_functions
from tests.local.vendor.answer import LYRICS_REFUSED, UPSTREAM_FAILED
from tests.local.vendor.behaviour import cut, fails, hang, refuses
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.webhook import lost
from tests.local.waiting import wait_for
from tests.local.webhooks.call import Genuine
from tests.local.webhooks.forgery import forgeries
from tests.local.webhooks.transport import local_cloud

LOST_ANSWERS = {
    "Hangs": hang(creates=True),
    "Is Cut": cut("body", creates=True),
    "502": fails(UPSTREAM_FAILED, creates=True),
}


def test_the_webhook_settles_a_create_whose_answer_is_lost(
    hearing: Intake, hearing_listener: EventListener, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    vendor.task_seconds = 3
    ids = {title: new_id("lost-answer") for title in LOST_ANSWERS}
    for title, behaviour in LOST_ANSWERS.items():
        vendor.plan(title, behaviour)
        hearing.send(song(title, request_id=ids[title]))
    for title, request_id in ids.items():
        with subtests.test(title):
            hearing.wait_for_status(request_id, "SUCCEEDED", seconds=40)
            hearing_listener.wait_for(request_id, "Song Succeeded")
            assert len(vendor.attempts_of(title)) == 1
    hearing.wait_until_empty()
    assert hearing.letters() == []


def test_the_webhook_settles_a_create_whose_function_was_killed(
    hearing: Intake, hearing_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.on_create("Killed In Call", lambda _: kill_functions(hearing))
    vendor.task_seconds = 1
    request_id = new_id("killed-in-call")
    hearing.send(song("Killed In Call", request_id=request_id))
    hearing.wait_for_status(request_id, "SUCCEEDED", seconds=40)
    hearing_listener.wait_for(request_id, "Song Succeeded")
    hearing.wait_until_empty()
    assert hearing.letters() == []
    assert len(vendor.attempts_of("Killed In Call")) == 1


def test_without_a_webhook_an_operator_names_the_task_and_it_is_followed(
    following: Intake, following_listener: EventListener, vendor: MusicVendor
) -> None:
    request_id = _in_doubt(following, vendor, "Named")
    assert following_listener.wait_for(request_id, "Song In Doubt")["detail"]["reason"] == "OUTCOME_UNKNOWN"
    listed = _say(following, {"list": "IN_DOUBT"})["in_doubt"]
    assert request_id in [row["request_id"] for row in listed]
    (create,) = vendor.creates_of("Named")
    answer = _say(following, {"request_id": request_id, "task_id": create.task_id, "by": "ops"})
    assert (answer["before"]["status"], answer["after"]["status"]) == ("IN_DOUBT", "SUBMITTED")
    row = following.wait_for_status(request_id, "SUCCEEDED")
    assert row["resolved_by"] == "ops"
    assert "resolved_at" in row
    assert "refused" in _say(following, {"request_id": request_id, "not_created": True, "by": "ops"})


def test_an_operators_not_created_lets_a_redrive_create_it_once(following: Intake, vendor: MusicVendor) -> None:
    request_id = _in_doubt(following, vendor, "Not Created", creates=False)
    word = {"request_id": request_id, "not_created": True, "by": "ops"}
    assert "under way" in _say(following, word)["refused"], "the function that asked might still hear of it"
    answer = wait_for(lambda: _taken(following, word), "the margin to be past", seconds=40)
    assert answer["after"]["status"] == "REJECTED"
    for _ in range(2):
        following.redrive()
        following.wait_until_empty()
    following.wait_for_status(request_id, "SUCCEEDED")
    assert len(vendor.creates_of("Not Created")) == 1


@pytest.mark.parametrize(
    "word",
    [{}, {"request_id": "nobody's"}, {"list": "SUBMITTED"}, {"request_id": 7}, {"request_id": "a", "task_id": "b"}],
)
def test_a_word_that_makes_no_sense_is_refused(following: Intake, word: dict[str, object]) -> None:
    assert set(_say(following, word)) == {"refused"}


def test_five_hundred_forged_webhooks_touch_nothing(hearing: Intake, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    request_id = new_id("forged")
    hearing.send(song("Forged", request_id=request_id))
    before = hearing.wait_for_status(request_id, "SUBMITTED")
    genuine = _genuine(vendor, request_id, "Forged")
    gateway = local_cloud(hearing.cloud.port, hearing.cloud.ca_bundle)(
        str(vendor.creates_of("Forged")[0].body["webhook_url"])
    )
    rows = len(hearing.rows())
    statuses = [call.send(gateway) for call in forgeries(genuine, count=500)]
    assert len(statuses) == 500
    assert {status // 100 for status in statuses} == {4}
    assert hearing.row(request_id) == before
    assert len(hearing.rows()) == rows, "a webhook creates no row"
    assert genuine.call().send(gateway) == 200, "and yet the genuine one is taken"
    replayed = genuine.call()
    assert [replayed.send(gateway) for _ in range(3)] == [200, 200, 200], "a replay is harmless"
    hearing.wait_for_status(request_id, "SUCCEEDED")


def test_a_workflow_that_waits_for_its_song_is_answered(following: Intake, vendor: MusicVendor) -> None:
    machine = _workflow(following)
    songs = {"SUCCEEDED": "Waited For", "FAILED": "Refused Song"}
    vendor.plan("Refused Song", refuses(LYRICS_REFUSED))
    runs = {status: _started(following, machine, song(title)) for status, title in songs.items()}
    for status, run in runs.items():
        described = _end_of(following, run)
        assert described["status"] == status
        told = described.get("output") or described["cause"]
        assert LYRICS not in told
        assert SOUND not in told
        assert ("clip_id" in told) == (status == "SUCCEEDED")
        assert described.get("error") == ("REFUSED" if status == "FAILED" else None)


def _in_doubt(intake: Intake, vendor: MusicVendor, title: str, *, creates: bool = True) -> str:
    vendor.plan_all_webhooks(lost())
    vendor.plan(title, cut("start", creates=creates))
    request_id = new_id("doubt")
    intake.send(song(title, request_id=request_id))
    assert intake.wait_for_letter(request_id).reason == "OUTCOME_UNKNOWN"
    return request_id


def _say(intake: Intake, word: dict[str, object]) -> dict[str, Any]:
    answer = intake.cloud.client("lambda").invoke(
        FunctionName=intake.stack.outputs["ResolveSongFunctionName"], Payload=json.dumps(word)
    )
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    return said


def _taken(intake: Intake, word: dict[str, object]) -> dict[str, Any] | None:
    answer = _say(intake, word)
    return None if "refused" in answer else answer


def _genuine(vendor: MusicVendor, request_id: str, title: str) -> Genuine:
    (create,) = vendor.creates_of(title)
    mac = str(create.body["webhook_url"]).rsplit("/", 1)[1]
    body = {"code": 200, "message": "success", "task_id": create.task_id, "event": "song.completed", "data": []}
    return Genuine(request_id, mac, str(create.body["webhook_secret"]), json.dumps(body).encode())


def _workflow(intake: Intake) -> str:
    """A state machine with one task: put a request on the queue, and wait for the song."""
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {
            "QueueUrl": intake.queue_url,
            "MessageBody": {
                "title.$": "$.title",
                "sound.$": "$.sound",
                "lyrics.$": "$.lyrics",
                "task_token.$": "$$.Task.Token",
            },
        },
        "End": True,
    }
    definition = json.dumps({"StartAt": "Song", "States": {"Song": send}})
    role = intake.stack.resources["SubmitSongRole"]
    arn = intake.cloud.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    machine = intake.cloud.client("stepfunctions").create_state_machine(
        name="waits-for-a-song", definition=definition, roleArn=arn
    )
    return machine["stateMachineArn"]


def _started(intake: Intake, machine: str, request: dict[str, object]) -> str:
    run = intake.cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(request))
    return run["executionArn"]


def _end_of(intake: Intake, run: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        described: Any = intake.cloud.client("stepfunctions").describe_execution(executionArn=run)
        return None if described["status"] == "RUNNING" else described

    return wait_for(ended, "the workflow to end")
