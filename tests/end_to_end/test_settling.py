"""Requests in doubt are resolved: by the vendor's webhook, or by an operator."""

import json
from typing import Any

import pytest

from song_intake.commands.__main__ import program
from song_intake.commands.program import run
from tests.end_to_end.songs import LYRICS, SOUND, new_id, song
from tests.local.cloud.event_listener import EventListener
from tests.local.intake import Intake
from tests.local.intake_alarms import AlarmWatch
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


def test_the_webhook_resolves_a_create_whose_answer_is_lost(
    by_webhook: Intake, webhook_listener: EventListener, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    watch = AlarmWatch(by_webhook)
    vendor.task_seconds = 1
    ids = {title: new_id("lost-answer") for title in LOST_ANSWERS}
    for title, behaviour in LOST_ANSWERS.items():
        vendor.plan(title, behaviour)
        by_webhook.send(song(title, request_id=ids[title]))
    for title, request_id in ids.items():
        with subtests.test(title):
            by_webhook.wait_for_status(request_id, "SUCCEEDED", seconds=80)
            webhook_listener.wait_for(request_id, "Song Succeeded")
            assert len(vendor.attempts_of(title)) == 1
    by_webhook.wait_until_empty()
    assert by_webhook.letters() == []
    watch.assert_quiet("WebhookAccepted")


def test_the_webhook_resolves_a_create_whose_function_was_killed(
    by_webhook: Intake, webhook_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.on_create("Killed In Call", lambda _: kill_functions(by_webhook))
    vendor.task_seconds = 1
    request_id = new_id("killed-in-call")
    by_webhook.send(song("Killed In Call", request_id=request_id))
    by_webhook.wait_for_status(request_id, "SUCCEEDED", seconds=80)
    webhook_listener.wait_for(request_id, "Song Succeeded")
    by_webhook.wait_until_empty()
    assert by_webhook.letters() == []
    assert len(vendor.attempts_of("Killed In Call")) == 1


def test_without_a_webhook_an_operator_sets_the_task_and_it_is_tracked(
    tracking: Intake,
    tracking_listener: EventListener,
    vendor: MusicVendor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = AlarmWatch(tracking)
    request_id = _in_doubt(tracking, vendor, "Named")
    watch.wait_for("InDoubtAlarm")
    assert tracking_listener.wait_for(request_id, "Song In Doubt")["detail"]["reason"] == "OUTCOME_UNKNOWN"
    listed = _resolve(tracking, {"list": "IN_DOUBT"})["in_doubt"]
    assert request_id in [row["request_id"] for row in listed]
    (create,) = vendor.creates_of("Named")
    for variable, value in tracking.environment().items():
        monkeypatch.setenv(variable, value)
    command = ["resolve", request_id, f"--task={create.task_id}", "--json"]
    assert run(program, ["--stack", tracking.stack.name, *command]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["before"]["status"], answer["after"]["status"]) == ("IN_DOUBT", "SUBMITTED")
    assert (answer["letters"]["discarded"], answer["letters"]["is_complete"]) == (1, True)
    assert request_id not in {letter.attributes.get("request_id") for letter in tracking.letters()}
    row = tracking.wait_for_status(request_id, "SUCCEEDED")
    assert ":user/" in row["resolved_by"] or ":root" in row["resolved_by"]
    assert "resolved_at" in row
    assert "refused" in _resolve(tracking, {"request_id": request_id, "not_created": True, "by": "ops"})


def test_an_operators_not_created_lets_a_redrive_create_it_once(tracking: Intake, vendor: MusicVendor) -> None:
    request_id = _in_doubt(tracking, vendor, "Not Created", creates=False)
    command = {"request_id": request_id, "not_created": True, "by": "ops"}
    assert "may still be processing" in _resolve(tracking, command)["refused"], "the lease is not over"
    cancelled = new_id("cancelled")
    assert _resolve(tracking, {"request_id": cancelled, "cancel": True, "by": "ops"})["is_cancelled"] is True
    tracking.send(song("Cancelled", request_id=cancelled))
    assert tracking.wait_for_letter(cancelled).reason == "CANCELLED"
    answer = wait_for(lambda: _accepted(tracking, command), "the margin after the lease to pass", seconds=80)
    assert answer["after"]["status"] == "REJECTED"
    for _ in range(2):
        tracking.redrive()
        tracking.wait_until_empty()
    tracking.wait_for_status(request_id, "SUCCEEDED")
    assert len(vendor.creates_of("Not Created")) == 1
    assert (tracking.row(cancelled)["status"], len(vendor.creates_of("Cancelled"))) == ("REJECTED", 0)


@pytest.mark.parametrize(
    "command",
    [{}, {"request_id": "unknown"}, {"list": "SUBMITTED"}, {"request_id": 7}, {"request_id": "a", "task_id": "b"}],
)
def test_a_senseless_command_is_rejected(tracking: Intake, command: dict[str, object]) -> None:
    assert set(_resolve(tracking, command)) == {"refused"}


def test_five_hundred_forged_webhooks_change_nothing(by_webhook: Intake, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    request_id = new_id("forged")
    by_webhook.send(song("Forged", request_id=request_id))
    before = by_webhook.wait_for_status(request_id, "SUBMITTED")
    genuine = _genuine(vendor, request_id, "Forged")
    gateway = local_cloud(by_webhook.cloud.port, by_webhook.cloud.ca_bundle)(
        str(vendor.creates_of("Forged")[0].body["webhook_url"])
    )
    rows = len(by_webhook.rows())
    statuses = [call.send(gateway) for call in forgeries(genuine, count=500)]
    assert len(statuses) == 500
    assert {status // 100 for status in statuses} == {4}
    assert by_webhook.row(request_id) == before
    assert len(by_webhook.rows()) == rows, "a webhook creates no row"
    assert genuine.call().send(gateway) == 200, "the genuine one is accepted"
    replayed = genuine.call()
    assert [replayed.send(gateway) for _ in range(3)] == [200, 200, 200], "a replay is harmless"
    by_webhook.wait_for_status(request_id, "SUCCEEDED")


def test_a_workflow_that_waits_for_its_song_receives_the_result(tracking: Intake, vendor: MusicVendor) -> None:
    machine = _workflow(tracking)
    songs = {"SUCCEEDED": "Waited For", "FAILED": "Refused Song"}
    vendor.plan("Refused Song", refuses(LYRICS_REFUSED))
    runs = {status: _started(tracking, machine, song(title)) for status, title in songs.items()}
    for status, started in runs.items():
        described = _end_of(tracking, started)
        assert described["status"] == status
        result = described.get("output") or described["cause"]
        assert LYRICS not in result
        assert SOUND not in result
        assert ("clip_id" in result) == (status == "SUCCEEDED")
        assert described.get("error") == ("REFUSED" if status == "FAILED" else None)


def _in_doubt(intake: Intake, vendor: MusicVendor, title: str, *, creates: bool = True) -> str:
    vendor.plan_all_webhooks(lost())
    vendor.plan(title, cut("start", creates=creates))
    request_id = new_id("doubt")
    intake.send(song(title, request_id=request_id))
    assert intake.wait_for_letter(request_id).reason == "OUTCOME_UNKNOWN"
    return request_id


def _resolve(intake: Intake, command: dict[str, object]) -> dict[str, Any]:
    response = intake.cloud.client("lambda").invoke(
        FunctionName=intake.stack.outputs["ResolveSongFunctionName"], Payload=json.dumps(command)
    )
    result: dict[str, Any] = json.loads(response["Payload"].read())
    return result


def _accepted(intake: Intake, command: dict[str, object]) -> dict[str, Any] | None:
    result = _resolve(intake, command)
    return None if "refused" in result else result


def _genuine(vendor: MusicVendor, request_id: str, title: str) -> Genuine:
    (create,) = vendor.creates_of(title)
    mac = str(create.body["webhook_url"]).rsplit("/", 1)[1]
    body = {"code": 200, "message": "success", "task_id": create.task_id, "event": "song.completed", "data": []}
    return Genuine(request_id, mac, str(create.body["webhook_secret"]), json.dumps(body).encode())


def _workflow(intake: Intake) -> str:
    """A state machine with one task, which sends a request and waits for the song."""
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
