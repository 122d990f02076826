"""What follows from the decision about a request: the check, the letter, the event, the callback, the wait."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from song_intake.announcements import Announcement, Happening
from song_intake.batch import Batch
from song_intake.callback import Callback, CallbackFailed
from song_intake.our_webhook import OurWebhook
from song_intake.reason import Reason
from song_intake.song_checks import SongCheck
from tests.integration import unreachable
from tests.integration.bench import ENDPOINT, WEBHOOK_KEY, Bench, plenty_of_time, record_of, song
from tests.integration.deciding import TITLE, abandon
from tests.integration.following import check_batch, look_at_all
from tests.integration.taking import failed
from tests.integration.workflow import Workflow
from tests.local import vendor_answer as said
from tests.local import vendor_behaviour as behaviour
from tests.local import vendor_story as story

WINDOW = 900.0
REFUSED = behaviour.refuses(said.LYRICS_REFUSED)


def stays(batch: Batch, request_id: str, message_id: str = "message-1", **fields: object) -> bool:
    """Whether the message is still on its queue after one delivery of it."""
    record = record_of(song(TITLE, request_id, **fields), message_id=message_id)
    return bool(failed(batch.take([record], plenty_of_time)))


def checks_of(bench: Bench) -> list[SongCheck]:
    return [SongCheck.parse(record["body"]) for record in bench.checks.records()]


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.heard()]


def test_a_submitted_song_is_checked_and_announced_before_its_message_is_done(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    began = time.time()
    assert not stays(batch, request_id, metadata={"customer": "c-1"})
    (made,) = bench.vendor.creates
    (check,) = checks_of(bench)
    assert (check.request_id, check.task_id, check.no_such_task) == (request_id, made.task_id, False)
    assert began <= check.since <= time.time()
    ((kind, detail),) = events_of(bench)
    assert kind == "Song Submitted"
    assert (detail["request_id"], detail["task_id"], detail["metadata"]) == (
        request_id,
        made.task_id,
        {"customer": "c-1"},
    )


def test_the_first_check_waits_for_the_song(bench: Bench, request_id: str) -> None:
    work = bench.request_work(checks=bench.song_checks(first_check=15))
    assert not stays(bench.batch_of(work), request_id)
    assert (checks_of(bench), bench.checks.delayed) == ([], 1)


def test_a_duplicate_of_a_submitted_song_is_checked_and_announced_again_under_the_same_id(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    """The first delivery may have died between the row and these."""
    stays(batch, request_id)
    stays(batch, request_id, "message-2")
    assert len(checks_of(bench)) == 2
    assert len({detail["id"] for _, detail in events_of(bench)}) == 1
    assert len(bench.vendor.creates) == 1


@pytest.mark.parametrize("ending", [story.succeeds(), story.fails(refunded=True)], ids=["SUCCEEDED", "FAILED"])
def test_a_duplicate_of_a_song_that_has_ended_is_done_and_nothing_more(
    bench: Bench, batch: Batch, request_id: str, ending: story.TaskStory
) -> None:
    bench.vendor.plan_task(TITLE, ending)
    stays(batch, request_id)
    look_at_all(bench, check_batch(bench))
    bench.bus.heard()
    assert not stays(batch, request_id, "message-2")
    assert (checks_of(bench), bench.bus.heard()) == ([], [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda bench: bench.request_work(checks=bench.song_checks(unreachable.GONE)), "CHECKS_UNAVAILABLE"),
        (lambda bench: bench.request_work(telling=bench.telling(events=unreachable.events())), "EVENTS_UNAVAILABLE"),
    ],
    ids=["the queue of checks", "the bus"],
)
def test_a_submission_that_cannot_be_followed_or_told_stays_until_it_is(
    bench: Bench, batch: Batch, request_id: str, broken: Callable[[Bench], Any], reason: str
) -> None:
    assert stays(bench.batch_of(broken(bench)), request_id)
    (made,) = bench.vendor.creates
    line = bench.lines()[-1]
    assert (line["reason"], line["task_id"]) == (reason, made.task_id)
    assert bench.row(request_id)["status"] == "SUBMITTED"

    bench.checks.records()
    assert not stays(batch, request_id)
    assert [check.task_id for check in checks_of(bench)] == [made.task_id]
    assert {kind for kind, _ in events_of(bench)} == {"Song Submitted"}
    assert len(bench.vendor.creates) == 1


LETTERS = [
    pytest.param(REFUSED, "Song Rejected", "REFUSED", id="refused"),
    pytest.param(behaviour.cut("start", creates=True), "Song In Doubt", "OUTCOME_UNKNOWN", id="in doubt"),
]


@pytest.mark.parametrize(("planned", "kind", "reason"), LETTERS)
def test_every_letter_is_announced_with_its_reason(
    bench: Bench, batch: Batch, request_id: str, planned: behaviour.Behaviour, kind: str, reason: str
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert not stays(batch, request_id, metadata={"customer": "c-1"})
    (letter,) = bench.letters()
    ((told, detail),) = events_of(bench)
    assert (told, detail["reason"], detail["metadata"]) == (kind, reason, {"customer": "c-1"})
    assert (letter.attributes["reason"], letter.attributes["detail"]) == (reason, detail["detail"])


def test_a_message_that_is_no_request_is_announced_under_its_message(bench: Bench, batch: Batch) -> None:
    batch.take([record_of("not JSON", message_id="message-7")], plenty_of_time)
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["id"]) == ("Song Rejected", "INVALID_REQUEST", "-/REJECTED/message-7")
    assert "request_id" not in detail


def test_a_song_that_was_made_and_not_recorded_is_announced_as_open_with_its_task(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    stays(batch, request_id)
    (made,) = bench.vendor.creates
    ((kind, detail),) = events_of(bench)
    assert (kind, detail["reason"], detail["task_id"]) == ("Song In Doubt", "TASK_NOT_RECORDED", made.task_id)


def test_a_letter_is_there_before_its_event_which_is_repeated_until_the_bus_takes_it(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    silent = bench.batch_of(bench.request_work(telling=bench.telling(events=unreachable.events())))
    assert stays(silent, request_id)
    assert len(bench.letters()) == 1
    assert not stays(batch, request_id)
    assert [kind for kind, _ in events_of(bench)] == ["Song Rejected"]
    assert len(bench.vendor.requests) == 1


def test_a_workflow_is_told_of_the_song_that_it_waits_for(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    stays(batch, request_id, task_token=workflow.task_token)
    assert workflow.is_waiting()
    assert look_at_all(bench, check_batch(bench)) == set()
    _, ended = events_of(bench)
    assert workflow.output() == ended[1]
    assert ended[1]["clips"]
    assert workflow.task_token not in bench.log.getvalue()


def test_a_workflow_is_told_that_its_song_failed(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan_task(TITLE, story.fails(refunded=True))
    stays(batch, request_id, task_token=workflow.task_token)
    look_at_all(bench, check_batch(bench))
    error, cause = workflow.error()
    assert (error, cause["refunded"], cause["request_id"]) == ("FAILED_BY_VENDOR", True, request_id)


def test_a_workflow_is_told_that_its_request_was_rejected(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan(TITLE, REFUSED)
    assert not stays(batch, request_id, task_token=workflow.task_token)
    error, cause = workflow.error()
    assert (error, cause["status"], cause["vendor_code"]) == ("REFUSED", "REJECTED", "forbidden")


def test_a_workflow_whose_song_is_in_doubt_goes_on_waiting(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    assert not stays(batch, request_id, task_token=workflow.task_token)
    assert workflow.is_waiting()


@pytest.mark.parametrize(
    ("planned", "kinds"),
    [(REFUSED, ["Song Rejected"]), (behaviour.usual(), ["Song Submitted", "Song Succeeded"])],
    ids=["rejected", "succeeded"],
)
def test_a_token_that_nobody_waits_with_any_more_is_forgotten(
    bench: Bench, batch: Batch, request_id: str, planned: behaviour.Behaviour, kinds: list[str]
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert not stays(batch, request_id, task_token="nobodys-token")
    assert look_at_all(bench, check_batch(bench)) == set()
    assert [kind for kind, _ in events_of(bench)] == kinds


def test_whether_anybody_waited_is_told(bench: Bench) -> None:
    callback = Callback(bench.cloud.client("stepfunctions"))
    announcement = Announcement(Happening.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
    assert not callback.succeeded("nobodys-token", announcement)
    assert not callback.failed("nobodys-token", announcement)
    assert callback.failed(Workflow.waiting(bench).task_token, announcement)
    with pytest.raises(CallbackFailed, match=r"^EndpointConnectionError$"):
        Callback(unreachable.step_functions()).failed("nobodys-token", announcement)


def test_a_workflow_that_cannot_be_told_keeps_the_message(bench: Bench, batch: Batch, request_id: str) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    mute = bench.request_work(telling=bench.telling(step_functions=unreachable.step_functions()))
    assert stays(bench.batch_of(mute), request_id, task_token="a-token")
    assert bench.lines()[-1]["reason"] == "CALLBACK_UNAVAILABLE"
    assert not stays(batch, request_id, task_token="a-token")


@pytest.fixture
def our_webhook(bench: Bench) -> OurWebhook:
    return bench.webhook(WINDOW)


@pytest.fixture
def waiting(bench: Bench, our_webhook: OurWebhook) -> Batch:
    """A batch whose requests are to be settled by our webhook."""
    return bench.batch(bench.submission(webhook=our_webhook))


def test_a_create_names_our_webhook_and_its_row_holds_nothing_of_it(
    bench: Bench, waiting: Batch, our_webhook: OurWebhook, request_id: str
) -> None:
    assert not stays(waiting, request_id)
    (sent,) = bench.vendor.requests
    body = json.loads(sent.body)
    key = our_webhook.keys.current_first()[0]
    assert key.key == WEBHOOK_KEY.encode()
    assert body["webhook_url"] == f"{ENDPOINT}/{request_id}/{key.path_mac(request_id)}"
    assert body["webhook_secret"] == key.secret(request_id)
    assert body["webhook_secret"] not in repr(bench.item(request_id)) + bench.log.getvalue()


def test_a_duplicate_is_known_though_our_webhook_was_switched_on_in_between(
    bench: Bench, batch: Batch, waiting: Batch, request_id: str
) -> None:
    """The address is no part of the request's fingerprint."""
    assert not stays(batch, request_id)
    assert not stays(waiting, request_id, "message-2")
    assert bench.letters() == []


def test_without_its_key_nothing_is_claimed(bench: Bench, waiting: Batch, request_id: str) -> None:
    bench.secrets.delete_secret(SecretId=bench.webhook_key_id, ForceDeleteWithoutRecovery=True)
    assert stays(waiting, request_id)
    assert bench.lines()[-1]["reason"] == "WEBHOOK_KEY_UNAVAILABLE"
    assert (bench.row(request_id), bench.vendor.requests) == ({}, ())
    bench.webhook_key_id = bench.secrets.create_secret(Name=f"{bench.table}-again", SecretString="x")["ARN"]


def test_a_doubt_waits_for_the_webhook_and_becomes_a_letter_after_its_window(
    bench: Bench, waiting: Batch, request_id: str, an_hour_passes: Callable[[], None]
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    began = time.time()
    for _ in range(2):
        assert stays(waiting, request_id)
    first, again = bench.lines()
    assert (first["reason"], again["reason"]) == ("AWAITING_WEBHOOK", "AWAITING_WEBHOOK")
    assert WINDOW <= first["retry_in_seconds"] <= WINDOW + 1
    assert WINDOW - 30 < again["retry_in_seconds"] <= WINDOW + 1
    row = bench.row(request_id)
    assert (row["status"], row["doubt"]) == ("IN_DOUBT", "IN_DOUBT")
    assert began + WINDOW <= float(row["doubt_until"]) <= time.time() + WINDOW
    assert (bench.letters(), bench.bus.heard()) == ([], [])

    an_hour_passes()
    assert not stays(waiting, request_id)
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "OUTCOME_UNKNOWN"
    assert [kind for kind, _ in events_of(bench)] == ["Song In Doubt"]
    assert len(bench.vendor.requests) == 1


def test_a_claim_whose_function_died_waits_for_the_webhook_too(
    bench: Bench, waiting: Batch, request_id: str, an_hour_passes: Callable[[], None]
) -> None:
    abandon(bench, request_id)
    an_hour_passes()
    assert stays(waiting, request_id)
    assert bench.lines()[-1]["reason"] == "AWAITING_WEBHOOK"
    assert float(bench.row(request_id)["doubt_until"]) >= time.time() + WINDOW - 1


@pytest.mark.parametrize(
    ("window", "fields"),
    [
        pytest.param(None, {}, id="switched off"),
        pytest.param(0.0, {}, id="without a window"),
        pytest.param(WINDOW, {"webhook_url": "https://caller.example/"}, id="the caller's own"),
    ],
)
def test_a_doubt_that_no_webhook_of_ours_will_settle_is_a_letter_at_once(
    bench: Bench, request_id: str, window: float | None, fields: dict[str, str]
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    batch = bench.batch(bench.submission(webhook=None if window is None else bench.webhook(window)))
    assert not stays(batch, request_id, **fields)
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "OUTCOME_UNKNOWN"


def test_a_callers_own_webhook_is_passed_on_untouched(bench: Bench, waiting: Batch, request_id: str) -> None:
    own = {"webhook_url": "https://caller.example/hook", "webhook_secret": "theirs"}
    assert not stays(waiting, request_id, **own)
    (sent,) = bench.vendor.requests
    assert {name: json.loads(sent.body)[name] for name in own} == own


@pytest.mark.parametrize("request_id", [".", ".."])
def test_an_id_that_an_address_would_lose_gets_no_webhook(bench: Bench, waiting: Batch, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    assert not stays(waiting, request_id)
    (sent,) = bench.vendor.requests
    assert "webhook_url" not in json.loads(sent.body)
    assert len(bench.letters()) == 1
