"""Every song is followed to its end: by polls, by webhooks, by both in any order, and through every crash."""

import json
from typing import Any

import pytest

from tests.end_to_end.songs import new_id, song
from tests.local.cloud.event_listener import EventListener
from tests.local.intake import Intake
from tests.local.intake_faults import denied, kill_functions
from tests.local.vendor.answer import json_answer
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import answers, fails, hangs, never_finishes, succeeds, unknown_task
from tests.local.vendor.webhook import WebhookPlan, delivered, doubled, early, late, lost
from tests.local.waiting import wait_for


def test_a_song_ends_by_polls_alone(following: Intake, following_listener: EventListener, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("By Polls", succeeds(polls_without_data=1))
    request_id = _sent(following, "By Polls", metadata={"customer": "c-1042"})
    row = following.wait_for_status(request_id, "SUCCEEDED")
    assert len(vendor.polls_of("By Polls")) > 1, "it was asked for before it was done"
    event = following_listener.wait_for(request_id, "Song Succeeded")["detail"]
    assert event["task_id"] == row["task_id"] == vendor.creates_of("By Polls")[0].task_id
    assert event["metadata"] == {"customer": "c-1042"}
    assert [clip["clip_id"] for clip in event["clips"]] == [_texts(clip)["clip_id"] for clip in row["clips"]]
    assert event["clips"][0]["audio_url"].startswith("https://")


def test_a_song_ends_by_its_webhook_alone(
    hearing: Intake, hearing_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.task_seconds = 1
    request_id = _sent(hearing, "By Webhook")
    hearing.wait_for_status(request_id, "SUCCEEDED")
    hearing_listener.wait_for(request_id, "Song Succeeded")
    assert len(vendor.polls_of("By Webhook")) == 1, "the webhook is a hint, and the poll the truth"


@pytest.mark.parametrize(
    "plan",
    [delivered(), doubled(), late(2), early()],
    ids=["in time", "doubled", "after the poll", "before the create's own answer"],
)
def test_webhook_and_polls_together_tell_one_end_once(
    following: Intake, following_listener: EventListener, vendor: MusicVendor, plan: WebhookPlan
) -> None:
    vendor.plan_all_webhooks(plan)
    request_id = _sent(following, "By Both")
    following.wait_for_status(request_id, "SUCCEEDED")
    following_listener.wait_for(request_id, "Song Succeeded")
    vendor.wait_for(lambda: any(hook.attempts for hook in vendor.webhooks_of("By Both")), timeout=10)
    wait_for(lambda: following.checks() == 0, "all checks to be done")
    ends = [
        event for event in following_listener.record_outcome(request_id) if event["detail"]["status"] != "SUBMITTED"
    ]
    assert len({event["detail"]["id"] for event in ends}) == 1
    assert len(vendor.creates_of("By Both")) == 1
    assert all(attempt.status == 200 for hook in vendor.webhooks_of("By Both") for attempt in hook.attempts)


def test_a_song_that_fails_is_told_with_its_refund(
    following: Intake, following_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_task("Fails", fails(refunded=True))
    request_id = _sent(following, "Fails")
    row = following.wait_for_status(request_id, "FAILED")
    assert (row["reason"], row["refunded"]) == ("FAILED_BY_VENDOR", True)
    event = following_listener.wait_for(request_id, "Song Failed")["detail"]
    assert (event["reason"], event["refunded"]) == ("FAILED_BY_VENDOR", True)


def test_a_task_that_is_unknown_for_a_while_is_polled_until_it_ends(following: Intake, vendor: MusicVendor) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Unknown", succeeds().after(*[unknown_task()] * 3))
    following.wait_for_status(_sent(following, "Unknown"), "SUCCEEDED")
    assert following.letters("CheckDeadLetterQueueUrl") == []


def test_a_failed_song_that_its_webhook_finds_succeeds_after_all(
    following: Intake, following_listener: EventListener, vendor: MusicVendor
) -> None:
    failure = json_answer({"status": "FAILED", "type": "failed", "message": "simulated"})
    vendor.plan_all_webhooks(late(4))
    vendor.plan_task("Found", succeeds().after(answers(failure)))
    request_id = _sent(following, "Found")
    following.wait_for_status(request_id, "FAILED")
    following.wait_for_status(request_id, "SUCCEEDED")
    following_listener.wait_for(request_id, "Song Succeeded")


def test_a_song_that_never_ends_is_given_up_and_may_be_looked_at_again(
    following: Intake, following_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Never Ends", never_finishes())
    request_id = _sent(following, "Never Ends")
    task_id = following.wait_for_status(request_id, "SUBMITTED")["task_id"]
    # A check of long ago, since no test can wait for hours.
    check = {"request_id": request_id, "task_id": task_id, "since": 0}
    following.cloud.client("sqs").send_message(
        QueueUrl=following.stack.outputs["SongChecksQueueUrl"], MessageBody=json.dumps(check)
    )
    event = following_listener.wait_for(request_id, "Song In Doubt")["detail"]
    assert event["reason"] == "NEVER_FINISHED"
    (letter,) = wait_for(lambda: following.letters("CheckDeadLetterQueueUrl"), "the check's dead letter")
    assert (letter.reason, letter.attributes["request_id"]) == ("NEVER_FINISHED", request_id)
    assert following.row(request_id)["status"] == "SUBMITTED"
    polls = len(vendor.polls_of("Never Ends"))
    following.redrive()
    vendor.wait_for(lambda: len(vendor.polls_of("Never Ends")) > polls + 3, timeout=20)
    assert following.letters("CheckDeadLetterQueueUrl") == [], "its time is counted anew"


@pytest.mark.parametrize(
    ("function", "action"),
    [
        ("TrackSong", "dynamodb:UpdateItem"),
        ("TrackSong", "secretsmanager:GetSecretValue"),
        ("SubmitSong", "events:PutEvents"),
        ("SubmitSong", "sqs:SendMessage"),
    ],
)
def test_a_song_ends_and_is_told_though_a_service_refused(
    following: Intake, following_listener: EventListener, vendor: MusicVendor, function: str, action: str
) -> None:
    vendor.plan_all_webhooks(lost())
    kill_functions(following)  # so that none has read its token already
    with denied(following, action, function=function):
        request_id = _sent(following, "Refused Service")
        vendor.wait_for(lambda: vendor.creates_of("Refused Service"), timeout=20)
        wait_for(lambda: _was_refused(following, request_id, action), f"{action} to be refused")
    following.wait_for_status(request_id, "SUCCEEDED")
    for told in ("Song Submitted", "Song Succeeded"):
        following_listener.wait_for(request_id, told)
    assert len(vendor.creates_of("Refused Service")) == 1


def test_a_function_killed_while_it_looks_is_followed_by_another_look(
    following: Intake, following_listener: EventListener, vendor: MusicVendor
) -> None:
    vendor.plan_all_webhooks(lost())
    vendor.plan_task("Killed", succeeds().after(hangs()))
    request_id = _sent(following, "Killed")
    vendor.wait_for(lambda: vendor.polls_of("Killed"), timeout=20)
    kill_functions(following)
    following.wait_for_status(request_id, "SUCCEEDED")
    following_listener.wait_for(request_id, "Song Succeeded")


def test_a_webhook_that_could_not_be_taken_is_taken_when_it_comes_again(
    hearing: Intake, hearing_listener: EventListener, vendor: MusicVendor
) -> None:
    with denied(hearing, "sqs:SendMessage", function="ReceiveWebhook"):
        request_id = _sent(hearing, "Webhook Again")
        vendor.wait_for(lambda: any(_statuses(vendor, "Webhook Again")), timeout=20)
    hearing.wait_for_status(request_id, "SUCCEEDED")
    hearing_listener.wait_for(request_id, "Song Succeeded")
    assert set(_statuses(vendor, "Webhook Again")) == {503, 200}


def test_a_callers_own_webhook_is_passed_on_untouched(following: Intake, vendor: MusicVendor) -> None:
    url = "https://songs.example.com/webhooks/music"
    request_id = _sent(following, "Own Webhook", webhook_url=url)
    following.wait_for_status(request_id, "SUCCEEDED")
    (create,) = vendor.creates_of("Own Webhook")
    assert create.body["webhook_url"] == url
    assert "webhook_secret" not in create.body


def _sent(intake: Intake, title: str, **fields: object) -> str:
    request_id = new_id("followed")
    intake.send(song(title, request_id=request_id, **fields))
    return request_id


def _texts(clip: dict[str, Any]) -> dict[str, Any]:
    return {name: next(iter(value.values())) for name, value in clip["M"].items()}


def _was_refused(intake: Intake, request_id: str, action: str) -> bool:
    """Whether the log shows a decision that could not be carried out, or not be taken."""
    reasons = ("LEDGER_UNAVAILABLE", "EVENTS_UNAVAILABLE", "CHECKS_UNAVAILABLE", "TOKEN_UNAVAILABLE")
    lines = (line for line in intake.log().splitlines() if request_id in line)
    return any(reason in line for line in lines for reason in reasons)


def _statuses(vendor: MusicVendor, title: str) -> list[int | None]:
    return [attempt.status for hook in vendor.webhooks_of(title) for attempt in hook.attempts]
