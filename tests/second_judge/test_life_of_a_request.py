"""The life of a request on moto: a second opinion on AWS, from services that refuse every batched statement."""

import pytest

from song_intake.aws.signing_key import SigningKey
from song_intake.domain.reason import Reason
from song_intake.ledger.task_tokens import TaskTokens
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, LEASE, Bench, new_id, song
from tests.integration.decisions import abandon
from tests.integration.resolving import BY, NOT_CREATED_AFTER, resolution_of
from tests.integration.test_webhook_reception import genuine
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour, story
from tests.local.webhooks.event import lambda_event
from tests.local.webhooks.forgery import forgeries
from tests.second_judge.conftest import TimePasses
from tests.second_judge.moto_account import BATCHED, MotoAccount
from tests.second_judge.stack import Stack, event_source_mapping
from tests.signing import SECOND_KEY, SIGNING_KEY

TITLE = "Night Train"


@pytest.fixture
def stack(bench: Bench) -> Stack:
    return Stack(bench)


def statuses(bench: Bench) -> list[str]:
    return [detail["status"] for detail in bench.bus.details()]


def test_a_song_is_submitted_tracked_to_its_end_and_published(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.send(song(TITLE, request_id, metadata={"customer": "c-1"}))
    assert stack.submit() == []
    (made,) = bench.vendor.creates
    row = bench.row(request_id)
    assert (row["status"], row["task_id"], row["attempt"]) == ("SUBMITTED", made.task_id, "1")
    assert stack.track() == []
    row = bench.row(request_id)
    assert (row["status"], row["end_published"], row["metadata"]) == ("SUCCEEDED", True, {"customer": {"S": "c-1"}})
    assert statuses(bench) == ["SUBMITTED", "SUCCEEDED"]
    assert (bench.receive(), bench.letters(), bench.checks.messages()) == ([], [], [])


def test_a_redelivery_and_a_duplicate_create_no_second_song(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.send(song(TITLE, request_id))
    (first,) = stack.submit(acknowledges=False)
    stack.deliver_again([first])
    assert stack.submit() == []
    bench.send(song(TITLE, request_id))
    assert stack.submit() == []
    assert len(bench.vendor.creates) == 1
    assert bench.row(request_id)["message_id"] == first["messageId"]
    published = bench.bus.details()
    assert (len(published), len({event["id"] for event in published})) == (3, 1), "repeats can be recognised"


def test_an_id_that_is_reused_for_another_song_becomes_a_dead_letter(
    bench: Bench, stack: Stack, request_id: str
) -> None:
    bench.send(song(TITLE, request_id))
    assert stack.submit() == []
    before = bench.item(request_id)
    bench.send(song("Another Train", request_id))
    assert stack.submit() == []
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == Reason.REQUEST_ID_REUSED
    assert (len(bench.vendor.creates), bench.item(request_id)) == (1, before)
    assert [event["detail-type"] for event in bench.bus.events()] == ["Song Submitted", "Message Rejected"]


def test_of_ten_messages_with_five_ids_five_songs_are_created(bench: Bench, stack: Stack) -> None:
    request_ids = [new_id("request") for _ in range(5)]
    for request_id in request_ids * 2:
        bench.send(song(request_id, request_id))
    held = stack.submit()
    assert len(held) <= 5
    stack.deliver_again(held)
    assert stack.submit() == []
    assert {create.title for create in bench.vendor.creates} == set(request_ids)
    assert len(bench.vendor.creates) == 5
    assert {bench.row(request_id)["status"] for request_id in request_ids} == {"SUBMITTED"}


def test_a_refused_request_is_created_once_it_was_redriven(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.validation_error("no")))
    message_id = bench.send(song(TITLE, request_id))
    assert stack.submit() == []
    assert bench.row(request_id)["status"] == "REJECTED"
    assert stack.redrive() == {Reason.REFUSED: 1}
    assert stack.submit() == []
    row = bench.row(request_id)
    assert (row["status"], row["attempt"], row["first_message_id"]) == ("SUBMITTED", "2", message_id)
    assert "reason" not in row
    assert statuses(bench) == ["REJECTED", "SUBMITTED"]
    assert bench.dead_letters.messages() == []


def test_a_rate_limited_request_is_hidden_and_created_on_its_next_receive(
    bench: Bench, stack: Stack, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited("777"))
    bench.send(song(TITLE, request_id))
    held = stack.submit()
    assert len(held) == 1
    assert (bench.row(request_id)["status"], bench.receive()) == ("RETRYING", [])
    stack.deliver_again(held)
    assert stack.submit() == []
    row = bench.row(request_id)
    assert (row["status"], row["attempt"], len(bench.vendor.creates)) == ("SUBMITTED", "2", 1)


def test_a_create_without_a_clear_answer_is_settled_by_the_webhook(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.gateway(502, creates=True))
    bench.send(song(TITLE, request_id))
    waiting = stack.submit()
    assert len(waiting) == 1
    row = bench.row(request_id)
    assert (row["status"], row["doubt"], "expires_at" in row) == ("IN_DOUBT", "IN_DOUBT", False)
    (made,) = bench.vendor.creates
    assert stack.receive(genuine(request_id, made.task_id).call()) == 200
    assert stack.track() == []
    stack.deliver_again(waiting)
    assert stack.submit() == []
    row = bench.row(request_id)
    assert (row["status"], row["task_id"], "doubt" in row) == ("SUCCEEDED", made.task_id, False)
    assert (statuses(bench), len(bench.vendor.creates), bench.letters()) == (["SUBMITTED", "SUCCEEDED"], 1, [])


def test_a_forged_webhook_changes_nothing(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.gateway(502, creates=True))
    bench.send(song(TITLE, request_id))
    stack.submit()
    before = bench.item(request_id)
    forged = [call for call in forgeries(genuine(request_id, "task-9")) if lambda_event(call)][::40]
    assert len(forged) >= 10
    assert {stack.receive(call) for call in forged} <= {401, 404}
    assert (bench.item(request_id), bench.checks.messages()) == (before, [])


def test_a_song_is_polled_until_its_task_is_known_and_has_failed(bench: Bench, stack: Stack, request_id: str) -> None:
    replies = story.unknown_task(), story.says("queued"), story.gateway(503)
    bench.vendor.plan_task(TITLE, story.fails(refunded=True).after(*replies))
    bench.send(song(TITLE, request_id))
    stack.submit()
    for _ in replies:
        stack.track()
        assert bench.row(request_id)["status"] == "SUBMITTED"
    stack.track()
    row = bench.row(request_id)
    assert (row["status"], row["reason"], row["refunded"]) == ("FAILED", "FAILED_BY_VENDOR", True)
    assert statuses(bench) == ["SUBMITTED", "FAILED"]


def test_an_abandoned_claim_is_in_doubt_after_its_lease_and_not_created_again(
    bench: Bench, stack: Stack, request_id: str, time_passes: TimePasses
) -> None:
    abandon(bench, request_id)
    bench.send(song(TITLE, request_id))
    held = stack.submit()
    assert (len(held), bench.row(request_id)["status"]) == (1, "SUBMITTING")
    time_passes(LEASE + 1)
    stack.deliver_again(held)
    waiting = stack.submit()
    assert (len(waiting), bench.row(request_id)["status"]) == (1, "IN_DOUBT")
    time_passes(3600)
    stack.deliver_again(waiting)
    assert stack.submit() == []
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == Reason.OUTCOME_UNKNOWN
    assert (bench.vendor.creates, statuses(bench)) == ((), ["IN_DOUBT"])


def test_an_operator_lists_two_doubts_and_settles_them(bench: Bench, stack: Stack, time_passes: TimePasses) -> None:
    found, lost = new_id("request"), new_id("request")
    bench.vendor.plan(found, behaviour.gateway(502, creates=True))
    bench.vendor.plan(lost, behaviour.gateway(502))
    for request_id in (found, lost):
        bench.send(song(request_id, request_id))
        stack.submit()
    (made,) = bench.vendor.creates
    resolution = resolution_of(bench)
    listed = resolution.handle({"list": "IN_DOUBT"})["in_doubt"]
    assert isinstance(listed, list)
    assert [row["request_id"] for row in listed] == [found, lost]
    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle({"request_id": found, "task_id": made.task_id, "by": BY})
    resolution.handle({"request_id": lost, "not_created": True, "by": BY})
    assert resolution.handle({"list": "IN_DOUBT"}) == {"in_doubt": []}
    assert stack.track() == []
    assert bench.row(found)["status"] == "SUCCEEDED"
    row = bench.row(lost)
    assert (row["status"], row["reason"], row["resolved_by"]) == ("REJECTED", "NOT_CREATED", BY)


def test_after_a_rotation_the_previous_signing_key_is_still_good_and_the_one_before_is_not(
    bench: Bench, stack: Stack, request_id: str
) -> None:
    bench.send(song(TITLE, request_id))
    stack.submit()
    (made,) = bench.vendor.creates
    first, second = (genuine(request_id, made.task_id, SigningKey.of(key)).call() for key in (SIGNING_KEY, SECOND_KEY))
    assert [stack.receive(call) for call in (first, second)] == [200, 404]
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=SECOND_KEY)
    assert [stack.receive(call) for call in (first, second)] == [200, 200]
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=f"{SECOND_KEY}-again")
    assert [stack.receive(call) for call in (first, second)] == [404, 200]


def test_the_mapping_is_disabled_by_a_fault_of_the_account_and_enabled_when_the_account_can_pay(
    bench: Bench, stack: Stack
) -> None:
    mapping = event_source_mapping(bench)
    functions = bench.cloud.client("lambda")

    def state() -> str:
        return str(functions.get_event_source_mapping(UUID=mapping)["State"])

    fault = {"detail-type": "Account Fault", "detail": {"reason": "NO_CREDITS"}, "time": "2038-01-01T00:00:00Z"}
    bench.vendor.credits = 0
    stack.switch(mapping).handle(fault)
    assert state() == "Disabled"
    stack.switch(mapping).handle({"intake": "check"})
    assert state() == "Disabled"
    bench.vendor.credits = 10
    stack.switch(mapping).handle({"intake": "check"})
    assert state() == "Enabled"
    stack.switch(mapping).handle({"intake": "off", "by": BY})
    stack.switch(mapping).handle({"intake": "check"})
    assert state() == "Disabled"
    stack.switch(mapping).handle({"intake": "on", "by": BY})
    assert (state(), bench.row("#intake")["switched_by"]) == ("Enabled", BY)


def test_a_step_that_failed_is_repeated_alone(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.send(song(TITLE, request_id))
    held = stack.submit(events=unreachable.events())
    assert len(held) == 1
    item = bench.item(f"message/{held[0]['messageId']}")
    assert (item["steps_done"], item["steps_failed"]) == ({"SS": ["check"]}, {"SS": ["event SUBMITTED"]})
    stack.deliver_again(held)
    assert stack.submit() == []
    assert len(bench.checks.messages()) == 1
    assert statuses(bench) == ["SUBMITTED"]


def test_the_task_tokens_of_a_song_are_kept_until_its_end(bench: Bench, stack: Stack, request_id: str) -> None:
    """moto accepts the answer to any token, so this shows what the row holds, not what Step Functions does."""
    for token in ("token-1", "token-2"):
        bench.send(song(TITLE, request_id, task_token=token))
        assert stack.submit() == []
    assert set(bench.row(request_id)["task_tokens"]) == {"token-1", "token-2"}
    TaskTokens(bench.ledger_table()).remove(request_id, "token-1")
    assert bench.row(request_id)["task_tokens"] == ["token-2"]
    assert stack.track() == []
    row = bench.row(request_id)
    assert (row["status"], "task_tokens" in row, len(bench.vendor.creates)) == ("SUCCEEDED", False, 1)


def test_a_message_whose_receives_run_out_for_a_shared_reason_is_sent_anew(
    bench: Bench, stack: Stack, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited("60"))
    message_id = bench.send(song(TITLE, request_id))
    for _ in range(FINAL_RECEIVE - 1):
        stack.deliver_again(bench.receive())
    assert stack.submit() == []
    assert (bench.requests.delayed, bench.receive(), bench.letters()) == (1, [], [])
    row = bench.row(request_id)
    assert (row["status"], row["first_message_id"]) == ("RETRYING", message_id)


def test_songs_of_one_pace_are_created_in_the_slots_that_were_reserved(bench: Bench, stack: Stack) -> None:
    for _ in range(3):
        request_id = new_id("request")
        bench.send(song(request_id, request_id))
    assert stack.submit(creates_per_minute=1200) == []
    assert len(bench.vendor.creates) == 3
    assert bench.item("#pace").keys() == {"request_id", "next_at", "free_slots", "slow_factor", "slow_from", "revision"}


def test_without_batched_statements_single_writes_carry_every_song(
    bench: Bench, stack: Stack, moto: MotoAccount
) -> None:
    request_ids = [new_id("request") for _ in range(3)]
    for request_id in request_ids:
        bench.send(song(request_id, request_id))
    before = moto.calls.copy()
    assert stack.submit() == []
    calls = moto.calls - before
    assert calls[BATCHED] > 0
    assert calls["UpdateItem"] == 6, "a claim and a task for each song"
    made = {create.title: create.task_id for create in bench.vendor.creates}
    assert {request_id: bench.row(request_id)["task_id"] for request_id in request_ids} == made
    (line,) = (line for line in bench.lines() if line["action"] == "batched_write")
    assert line["reason"] == "AccessDeniedException"
