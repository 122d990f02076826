"""Every song is tracked to its end: by polls, by webhooks, by both in any order, and across crashes."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from song_client import NotEnded, SongIntake
from tests.end_to_end.songs import new_id, song
from tests.local.cloud.aws_clients import REGION
from tests.local.cloud.cloud import PROJECT
from tests.local.cloud.event_listener import EventListener
from tests.local.intake import Intake, Letter
from tests.local.intake_faults import denied, kill_functions
from tests.local.recordings.host import m4a, sends
from tests.local.vendor.answer import json_answer
from tests.local.vendor.gateway import Route
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import (
    answers,
    fails,
    gateway,
    hangs,
    makes_clip,
    never_finishes,
    streaming,
    succeeds,
    times_out,
    unknown_task,
    without_link,
)
from tests.local.vendor.webhook import WebhookPlan, delivered, doubled, early, late, lost
from tests.local.waiting import wait_for

DOCUMENT = (PROJECT / "functions/README.md").read_text(encoding="utf-8")

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"

# Stories with odd answers before the end: the status at the end, and the number of recordings in its event.
ODD_STORIES = {
    "Streams First": (succeeds(clips=2).after(streaming(), streaming(finished=1)), "SUCCEEDED", 2),
    "Links Come Late": (succeeds(clips=2).after(without_link(), without_link("")), "SUCCEEDED", 2),
    "Pages on Polls": (succeeds().after(*map(gateway, (404, 404, 403, 405, 502))), "SUCCEEDED", 1),
    "Time-out as HTTP 504": (times_out(), "FAILED", 0),
}


def test_a_song_ends_by_polls_only(tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("By Polls", succeeds(polls_without_data=1))
    request_id = new_id("polls")
    body = song("By Polls", request_id=request_id, metadata={"customer": "c-1042"})
    tracking.send(body, {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"})
    row = tracking.wait_for_status(request_id, "SUCCEEDED")
    assert len(vendor.polls_of("By Polls")) > 1, "it was also polled before it was done"
    event = tracking_listener.wait_for(request_id, "Song Succeeded")["detail"]
    assert event["task_id"] == row["task_id"] == vendor.creates_of("By Polls")[0].task_id
    assert event["metadata"] == {"customer": "c-1042"}
    assert [clip["clip_id"] for clip in event["clips"]] == [_texts(clip)["clip_id"] for clip in row["clips"]]
    assert event["clips"][0]["audio_url"].startswith("https://")
    kept = tracking_listener.wait_for(request_id, "Song Kept")["detail"]
    calls = (*vendor.attempts_of("By Polls"), *vendor.polls_of("By Polls"))
    seen_by_the_vendor = {call.headers["traceparent"].split("-")[1] for call in calls}
    assert {*seen_by_the_vendor, row["trace_id"], event["trace_id"], kept["trace_id"]} == {TRACE_ID}
    (recording,) = kept["recordings"]
    assert (kept["task_id"], recording["format"]) == (row["task_id"], "m4a"), "whatever its link is named"
    stored = tracking.cloud.client("s3").get_object(Bucket=recording["bucket"], Key=recording["key"])["Body"].read()
    assert recording["uri"] == f"s3://{tracking.stack.outputs['RecordingBucketName']}/{recording['key']}"
    assert (len(stored), hashlib.sha256(stored).hexdigest()) == (recording["bytes"], recording["sha256"])
    (snippet,) = [code for code in re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL) if "presigned" in code]
    code = f"import boto3, json\nsong_kept = json.loads({json.dumps({'detail': kept})!r})\n{snippet}print(url)"
    url = run(PROJECT, sys.executable, "-c", code, env=tracking.environment()).strip()
    assert requests.get(url, timeout=30, verify=str(tracking.cloud.ca_bundle)).content == stored
    assert all("authorization" not in map(str.lower, headers) for _, headers in vendor.recordings.received)


def test_a_recording_that_cannot_be_had_is_reported_and_kept_by_a_redrive_once_it_can(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.recordings.answers["/large.m4a"] = sends(m4a(), content_length=str(2**30))
    vendor.plan_task("Too Large", makes_clip(audio_url="https://cdn.example/large.m4a"))
    request_id = _sent(tracking, "Too Large")
    event = tracking_listener.wait_for(request_id, "Song Not Kept")["detail"]
    assert (event["reason"], event["recordings"]) == ("RECORDING_UNAVAILABLE", [])

    def letter() -> Letter | None:
        return next(iter(tracking.letters("RecordingDeadLetterQueueUrl")), None)

    given_up = wait_for(letter, "the dead letter of the recording")
    assert (given_up.reason, given_up.attributes["request_id"]) == ("RECORDING_UNAVAILABLE", request_id)
    vendor.recordings.answers.clear()
    tracking.redrive_by_command()
    kept = tracking_listener.wait_for(request_id, "Song Kept")["detail"]
    assert len(kept["recordings"]) == len(tracking.row(request_id)["recordings"]) == 1


def test_the_client_for_callers_sends_a_song_and_waits_for_it(
    tracking: Intake, vendor: MusicVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**tracking.environment(), **credentials_of_a_caller(tracking)}.items():
        monkeypatch.setenv(name, value)
    client = SongIntake(tracking.queue_url, tracking.table)
    request_id = client.send({"title": "By the Client", "sound": "slow folk", "metadata": {"customer": "c-1042"}})
    ended = client.wait(request_id, seconds=60)
    task_id = vendor.creates_of("By the Client")[0].task_id
    assert (ended.request_id, ended.status, ended.task_id) == (request_id, "SUCCEEDED", task_id)
    assert ended.clips[0]["audio_url"].startswith("https://")
    assert ended.metadata == {"customer": "c-1042"}
    with pytest.raises(NotEnded, match="its status is unknown"):
        client.wait("nobody-sent-this", seconds=0)
    key = {"request_id": {"S": request_id}}
    queries: list[dict[str, Any]] = [{}, {"ProjectionExpression": "request_id, task_tokens"}]
    for more in queries:
        with pytest.raises(ClientError, match="AccessDenied"):
            boto3.client("dynamodb").get_item(TableName=tracking.table, Key=key, **more)


def test_the_example_in_typescript_sends_a_song_and_reads_it(
    tracking: Intake, vendor: MusicVendor, tmp_path: Path
) -> None:
    packages = PROJECT / "tests/node/node_modules"
    if not packages.exists():
        pytest.skip("npm is missing, which would have installed the packages of tests/node")
    shutil.copy(PROJECT / "events/examples/song_client.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(packages)
    run(tmp_path, "node_modules/.bin/tsc", "--strict", "--skipLibCheck", "song_client.ts", env=tracking.environment())
    environment = {**tracking.environment(), **credentials_of_a_caller(tracking), "AWS_REGION": REGION}
    environment["NODE_EXTRA_CA_CERTS"] = str(tracking.cloud.ca_bundle)

    def in_node(code: str) -> str:
        return run(tmp_path, "node", "-e", f'const client = require("./song_client"); {code}', env=environment)

    request = {"title": "In TypeScript", "sound": "slow folk"}
    in_node(f'client.sendSong("{tracking.queue_url}", "in-typescript", {json.dumps(request)})')
    row = tracking.wait_for_status("in-typescript", "SUCCEEDED")
    read = in_node(f'client.readSong("{tracking.table}", "in-typescript").then(s => console.log(JSON.stringify(s)))')
    assert json.loads(read) == {"status": "SUCCEEDED", "audioUrls": [_texts(row["clips"][0])["audio_url"]]}
    assert len(vendor.creates_of("In TypeScript")) == 1


def test_a_song_ends_by_its_webhook(by_webhook: Intake, webhook_listener: EventListener, vendor: MusicVendor) -> None:
    vendor.task_seconds = 1
    request_id = _sent(by_webhook, "By Webhook")
    by_webhook.wait_for_status(request_id, "SUCCEEDED")
    webhook_listener.wait_for(request_id, "Song Succeeded")
    assert len(vendor.polls_of("By Webhook")) == 1, "the webhook is a hint, and the poll decides"


@pytest.mark.parametrize(
    "plan",
    [delivered(), doubled(), late(2), early()],
    ids=["in time", "doubled", "after the poll", "before the answer to the create"],
)
def test_a_webhook_and_polls_together_publish_one_final_event(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor, plan: WebhookPlan
) -> None:
    vendor.plan_all_webhooks(plan)
    request_id = _sent(tracking, "By Both")
    tracking.wait_for_status(request_id, "SUCCEEDED")
    tracking_listener.wait_for(request_id, "Song Succeeded")
    vendor.wait_for(lambda: any(hook.attempts for hook in vendor.webhooks_of("By Both")), timeout=60)
    wait_for(lambda: tracking.checks() == 0, "all checks to be done")
    assert len(_final_events(tracking_listener, request_id)) == 1
    assert len(vendor.creates_of("By Both")) == 1
    assert all(attempt.status == 200 for hook in vendor.webhooks_of("By Both") for attempt in hook.attempts)


def test_the_event_of_a_failed_song_has_its_refund(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_task("Fails", fails(refunded=True))
    request_id = _sent(tracking, "Fails")
    row = tracking.wait_for_status(request_id, "FAILED")
    assert (row["reason"], row["refunded"]) == ("FAILED_BY_VENDOR", True)
    event = tracking_listener.wait_for(request_id, "Song Failed")["detail"]
    assert (event["reason"], event["refunded"]) == ("FAILED_BY_VENDOR", True)


def test_a_task_that_is_unknown_for_a_while_is_polled_until_it_ends(tracking: Intake, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Unknown", succeeds().after(*[unknown_task()] * 3))
    tracking.wait_for_status(_sent(tracking, "Unknown"), "SUCCEEDED")
    assert tracking.letters("CheckDeadLetterQueueUrl") == []


def test_odd_answers_delay_a_song_and_its_one_final_event_is_complete(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.show_gateway_page(405, route=Route.CREATE, answers=2)
    for title, (story, _, _) in ODD_STORIES.items():
        vendor.plan_task(title, story)
    ids = {title: _sent(tracking, title) for title in ODD_STORIES}
    for title, (story, status, recordings) in ODD_STORIES.items():
        with subtests.test(title):
            row = tracking.wait_for_status(ids[title], status)
            assert [create.task_id for create in vendor.creates_of(title)] == [row["task_id"]]
            event = tracking_listener.wait_for(ids[title], f"Song {status.capitalize()}")["detail"]
            links = [clip["audio_url"] for clip in event.get("clips", [])]
            assert [link.split("/")[2] for link in links] == ["cdn.example"] * recordings
            assert len(vendor.polls_of(title)) == len(story.first_polls) + 1
    wait_for(lambda: tracking.checks() == 0, "all checks to be done")
    assert [len(_final_events(tracking_listener, request_id)) for request_id in ids.values()] == [1] * len(ids)
    assert (tracking.letters(), tracking.letters("CheckDeadLetterQueueUrl")) == ([], [])
    attempts = sum(len(vendor.attempts_of(title)) for title in ODD_STORIES)
    assert attempts == len(ODD_STORIES) + 2, "only the requests behind the two pages were sent again"


def test_a_failed_song_that_its_webhook_finds_succeeds_after_all(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor
) -> None:
    failure = json_answer({"status": "FAILED", "type": "failed", "message": "simulated"})
    vendor.plan_all_webhooks(late(4))
    vendor.plan_task("Found", succeeds().after(answers(failure)))
    request_id = _sent(tracking, "Found")
    tracking.wait_for_status(request_id, "FAILED")
    tracking.wait_for_status(request_id, "SUCCEEDED")
    tracking_listener.wait_for(request_id, "Song Succeeded")


def test_a_song_that_never_ends_is_given_up_and_a_redrive_polls_it_again(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Never Ends", never_finishes())
    request_id = _sent(tracking, "Never Ends")
    task_id = tracking.wait_for_status(request_id, "SUBMITTED")["task_id"]
    # A check of long ago, since no test can wait for hours.
    check = {"request_id": request_id, "task_id": task_id, "since": 0}
    tracking.cloud.client("sqs").send_message(
        QueueUrl=tracking.stack.outputs["SongChecksQueueUrl"], MessageBody=json.dumps(check)
    )
    event = tracking_listener.wait_for(request_id, "Song In Doubt")["detail"]
    assert event["reason"] == "NEVER_FINISHED"
    (letter,) = wait_for(lambda: tracking.letters("CheckDeadLetterQueueUrl"), "the check's dead letter")
    assert (letter.reason, letter.attributes["request_id"]) == ("NEVER_FINISHED", request_id)
    assert tracking.row(request_id)["status"] == "SUBMITTED"
    polls = len(vendor.polls_of("Never Ends"))
    tracking.redrive_by_command()
    vendor.wait_for(lambda: len(vendor.polls_of("Never Ends")) > polls + 3, timeout=60)
    assert tracking.letters("CheckDeadLetterQueueUrl") == [], "its time starts again"


@pytest.mark.parametrize(
    ("function", "action"),
    [
        ("TrackSong", "dynamodb:UpdateItem"),
        ("TrackSong", "secretsmanager:GetSecretValue"),
        ("SubmitSong", "sqs:SendMessage"),
    ],
)
def test_a_song_ends_with_its_events_although_a_service_denied_a_call(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor, function: str, action: str
) -> None:
    vendor.plan_all_webhooks(lost())
    kill_functions(tracking)  # so that no process has read the token already
    with denied(tracking, action, function=function):
        request_id = _sent(tracking, "Refused Service")
        vendor.wait_for(lambda: vendor.creates_of("Refused Service"), timeout=60)
        wait_for(lambda: _was_denied(tracking, request_id), f"{action} to be denied")
    tracking.wait_for_status(request_id, "SUCCEEDED")
    for detail_type in ("Song Submitted", "Song Succeeded"):
        tracking_listener.wait_for(request_id, detail_type)
    assert len(vendor.creates_of("Refused Service")) == 1


def test_a_poll_is_repeated_after_its_function_was_killed(
    tracking: Intake, tracking_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Killed", succeeds().after(hangs()))
    request_id = _sent(tracking, "Killed")
    vendor.wait_for(lambda: vendor.polls_of("Killed"), timeout=60)
    kill_functions(tracking)
    tracking.wait_for_status(request_id, "SUCCEEDED")
    tracking_listener.wait_for(request_id, "Song Succeeded")


def test_a_webhook_that_was_answered_with_an_error_is_accepted_when_it_is_sent_again(
    by_webhook: Intake, webhook_listener: EventListener, vendor: MusicVendor
) -> None:
    with denied(by_webhook, "sqs:SendMessage", function="ReceiveWebhook"):
        request_id = _sent(by_webhook, "Webhook Again")
        vendor.wait_for(lambda: any(_statuses(vendor, "Webhook Again")), timeout=60)
    by_webhook.wait_for_status(request_id, "SUCCEEDED")
    webhook_listener.wait_for(request_id, "Song Succeeded")
    assert set(_statuses(vendor, "Webhook Again")) == {503, 200}


def test_a_callers_own_webhook_is_sent_to_the_vendor_unchanged(tracking: Intake, vendor: MusicVendor) -> None:
    url = "https://songs.example.com/webhooks/music"
    request_id = _sent(tracking, "Own Webhook", webhook_url=url)
    tracking.wait_for_status(request_id, "SUCCEEDED")
    (create,) = vendor.creates_of("Own Webhook")
    assert create.body["webhook_url"] == url
    assert "webhook_secret" not in create.body


def credentials_of_a_caller(intake: Intake) -> dict[str, str]:
    """The environment of a user that has the exported policies of senders and readers, and no other right."""
    iam = intake.cloud.client("iam")
    name = new_id("caller")
    iam.create_user(UserName=name)
    for output in ("SenderPolicyArn", "ReaderPolicyArn"):
        iam.attach_user_policy(UserName=name, PolicyArn=intake.stack.outputs[output])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def run(folder: Path, *command: str, env: dict[str, str]) -> str:
    """What the command prints."""
    return subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def _sent(intake: Intake, title: str, **fields: object) -> str:
    request_id = new_id("tracked")
    intake.send(song(title, request_id=request_id, **fields))
    return request_id


def _texts(clip: dict[str, Any]) -> dict[str, Any]:
    return {name: next(iter(value.values())) for name, value in clip["M"].items()}


def _final_events(listener: EventListener, request_id: str) -> set[str]:
    """The ids of the request's events that have a final status, but for that of its recordings."""
    events = listener.events_of(request_id)
    return {event["detail"]["id"] for event in events if event["detail"]["status"] not in ("SUBMITTED", "KEPT")}


def _was_denied(intake: Intake, request_id: str) -> bool:
    """Whether the log has a failed step of this request, or a decision that needed the service."""
    reasons = ("LEDGER_UNAVAILABLE", "EVENTS_UNAVAILABLE", "CHECKS_UNAVAILABLE", "TOKEN_UNAVAILABLE")
    lines = (line for line in intake.log().splitlines() if request_id in line)
    return any(reason in line for line in lines for reason in reasons)


def _statuses(vendor: MusicVendor, title: str) -> list[int | None]:
    return [attempt.status for hook in vendor.webhooks_of(title) for attempt in hook.attempts]
