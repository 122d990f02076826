"""Redriving dead letters on real queues: each keeps its identity, whatever its sender attached, and moves once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from song_intake.app.redrive import RedriveSettings, redrive_letters
from song_intake.contract.redrive_order import RedriveRefused
from song_intake.contract.sqs_message import Message
from song_intake.work.redrive import NOT_MOVABLE, RELEASES_A_SECOND, RESERVED_SECONDS, Redrive
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.decisions import TITLE, abandon
from tests.integration.unreachable import GONE
from tests.local.cloud.received import visible
from tests.signing import PROOFS, SECOND_KEY, proofs_of, signed

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

OURS = {"reason": "OUTCOME_UNKNOWN", "first_message_id": "m-1", "request_id": "r-1", "detail": "unknown"}
BODY = '{"sound": "tango"}'
ACCOUNT = "000000000000"

# What a letter that SQS moved may carry: the attributes of its sender.
SENDERS = [
    {},
    {"reason": "birthday", "first_message_id": "mail-7"},
    {"reason": "birthday", "first_message_id": "mail-7", "request_id": "theirs", "task_id": "theirs"},
    {"reason": "UNFORESEEN", "first_message_id": "#intake", "request_id": "theirs", "task_id": "theirs"},
    {"reason": "UNFORESEEN", "first_message_id": "mail-7", "request_id": "theirs", "sent_anew_for": "theirs"},
    {"reason": "UNFORESEEN", "first_message_id": "mail-7", "task_id": "theirs", "proof": "of purchase"},
    {"proof": "0" * 64},
    {"detail": "theirs", "http_status": "200"},
    {f"name-{number}": "x" for number in range(10)},
]


class OddSqs:
    """The client of SQS, with some calls replaced."""

    def __init__(self, sqs: object, **replaced: object) -> None:
        self._sqs, self._replaced = sqs, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._sqs, name)


def quick_long_polls(sqs: SQSClient) -> Any:
    """The client of SQS without the wait of a long poll for what nobody sends. A short poll stays as it is."""

    def receive(**arguments: Any) -> Any:
        if arguments.get("WaitTimeSeconds") and not visible(sqs, arguments["QueueUrl"]):
            return {}
        return sqs.receive_message(**arguments)

    return OddSqs(sqs, receive_message=receive)


def redrive_of(bench: Bench, **changed: Any) -> Redrive:
    """As the app builds it. Its long polls of an empty queue end at once."""
    settings = RedriveSettings(
        signing_key_secret_arn=bench.signing_key_id,
        song_requests_queue_url=bench.requests.url,
        dead_letter_queue_url=bench.dead_letters.url,
        song_checks_queue_url=bench.checks.url,
        check_dead_letter_queue_url=bench.dead_checks.url,
        song_recordings_queue_url=None,
        recording_dead_letter_queue_url=None,
    )
    return replace(redrive_letters(settings, bench.clients()), **{"sqs": quick_long_polls(bench.sqs), **changed})


def run(redrive: Redrive, **order: object) -> dict[str, Any]:
    return redrive.handle({"queue": "requests", **order}, plenty_of_time)


def moved_by_sqs(bench: Bench, attributes: Mapping[str, str], body: str = BODY, xray_header: str | None = None) -> str:
    """A message that SQS moved after its last receive; its id."""
    policy = {"deadLetterTargetArn": bench.dead_letters.arn, "maxReceiveCount": 1}
    bench.sqs.set_queue_attributes(QueueUrl=bench.requests.url, Attributes={"RedrivePolicy": json.dumps(policy)})
    message_id = bench.requests.send(body, attributes, xray_header)
    while bench.requests.visible:
        bench.sqs.receive_message(QueueUrl=bench.requests.url, VisibilityTimeout=0)
    bench.sqs.set_queue_attributes(QueueUrl=bench.requests.url, Attributes={"RedrivePolicy": ""})
    return message_id


def back(bench: Bench) -> list[Message]:
    """The messages that are back on the request queue, as submit_song reads them."""
    return [bench.proofs.read(Message.of(record)) for record in bench.receive()]


@pytest.mark.parametrize("attributes", SENDERS, ids=json.dumps)
def test_a_letter_that_sqs_moved_keeps_its_first_id_whatever_its_sender_attached(
    bench: Bench, attributes: dict[str, str]
) -> None:
    message_id = moved_by_sqs(bench, attributes)
    assert run(redrive_of(bench))["moved"] == {"UNFORESEEN": 1}
    (message,) = back(bench)
    assert (message.body, message.first_message_id) == (BODY, message_id)
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.delivery_id == message.message_id
    assert (message.sent_by, message.sender) == (None, ACCOUNT), "who sent it first stays known"
    assert not {"detail", "http_status"} & message.attributes.keys(), "these are the stack's words"
    assert bench.dead_letters.messages() == []


def test_a_song_without_an_id_whose_function_crashed_on_every_receive_is_not_created_again(bench: Bench) -> None:
    message_id = moved_by_sqs(bench, {"reason": "birthday", "first_message_id": "mail-7"}, song(TITLE))
    abandon(bench, message_id)
    run(redrive_of(bench))
    bench.batch().handle(bench.receive(), plenty_of_time)
    assert bench.lines()[-1]["request_id"] == message_id
    assert len(bench.vendor.creates) == 0


def test_a_letter_of_this_stack_keeps_all_that_it_says(bench: Bench) -> None:
    bench.dead_letters.send(BODY, signed(BODY, OURS | {"tenant": "blue", "sender": "AROASHOP"}))
    assert run(redrive_of(bench))["letters"] == {"OUTCOME_UNKNOWN": {"under 1 hour": 1}}
    (message,) = back(bench)
    assert (message.first_message_id, message.known_request_id) == ("m-1", "r-1")
    assert message.sender == "AROASHOP"
    texts = {name: value["stringValue"] for name, value in message.attributes.items()}
    assert texts == signed(BODY, OURS | {"tenant": "blue", "sender": "AROASHOP"})


def test_a_message_that_was_sent_anew_and_moved_by_sqs_keeps_its_first_id(bench: Bench) -> None:
    moved_by_sqs(bench, signed(BODY, OURS | {"sent_anew_for": "m-1"}))
    run(redrive_of(bench))
    (message,) = back(bench)
    assert (message.first_message_id, message.delivery_id) == ("m-1", message.message_id)


def test_a_letter_keeps_its_group_on_the_way_out_and_on_the_way_back(bench: Bench) -> None:
    record = record_of("not JSON", attributes={})
    record["attributes"]["MessageGroupId"] = "tenant-1"
    bench.batch().handle([record], plenty_of_time)
    assert run(redrive_of(bench))["moved"] == {"INVALID_REQUEST": 1}
    (message,) = bench.requests.messages()
    assert message["Attributes"]["MessageGroupId"] == "tenant-1"


def test_a_letter_by_the_previous_key_is_signed_by_the_current_one(bench: Bench) -> None:
    bench.dead_letters.send(BODY, signed(BODY, OURS))
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=SECOND_KEY)
    run(redrive_of(bench))
    (record,) = bench.receive()
    assert proofs_of(SECOND_KEY).read(Message.of(record)).first_message_id == "m-1"


def test_a_letter_of_a_release_without_proofs_is_signed(bench: Bench) -> None:
    bench.dead_letters.send(BODY, OURS | {"sent_anew_for": "m-1"})
    run(redrive_of(bench))
    (message,) = back(bench)
    assert (message.first_message_id, message.known_request_id) == ("m-1", "r-1")
    assert message.delivery_id == message.message_id


def test_what_cannot_be_identified_stays(bench: Bench) -> None:
    bench.dead_letters.send(BODY, {"reason": "birthday"})
    moved_by_sqs(bench, signed(BODY, OURS, proofs_of(SECOND_KEY)))
    response = run(redrive_of(bench))
    assert (response["letters"], response["moved"]) == ({NOT_MOVABLE: {"under 1 hour": 2}}, {})
    assert len(bench.dead_letters.messages()) == 2, "they are visible again"


def test_an_order_selects_by_reason_age_and_number(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    redrive = redrive_of(bench)
    for number in range(3):
        bench.dead_letters.send(BODY, signed(BODY, OURS | {"request_id": f"r-{number}"}))
    bench.dead_letters.send(BODY, signed(BODY, OURS | {"reason": "REFUSED"}))
    counted = run(redrive, reason="OUTCOME_UNKNOWN", dry_run=True)
    assert (counted["selected"], counted["moved"]) == (3, {})
    assert time.time() - 60 < counted["at"] <= time.time(), "the moment of the order"
    assert counted["letters"] == {"OUTCOME_UNKNOWN": {"under 1 hour": 3}, "REFUSED": {"under 1 hour": 1}}
    assert run(redrive, older_hours=1)["moved"] == {}
    assert run(redrive, before=time.time() - 60)["moved"] == {}, "they were sent later"
    limited = run(redrive, reason="OUTCOME_UNKNOWN", limit=2)
    assert (limited["moved"], limited["is_complete"]) == ({"OUTCOME_UNKNOWN": 2}, True)
    later = time.time() + 2 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    aged = run(redrive, older_hours=1)
    assert aged["letters"] == {"OUTCOME_UNKNOWN": {"under 1 day": 1}, "REFUSED": {"under 1 day": 1}}
    assert (aged["moved"], aged["is_complete"]) == ({"OUTCOME_UNKNOWN": 1, "REFUSED": 1}, True)


def test_letters_come_and_go_ten_at_a_time_and_those_that_stay_are_visible_again(bench: Bench) -> None:
    for number in range(25):
        bench.dead_letters.send(BODY, signed(BODY, OURS | {"request_id": f"r-{number}"}))
    quick = quick_long_polls(bench.sqs)
    calls: list[tuple[str, dict[str, Any]]] = []

    def noted(name: str) -> Any:
        def call(**arguments: Any) -> Any:
            calls.append((name, arguments))
            return getattr(quick, name)(**arguments)

        return call

    odd = OddSqs(bench.sqs, **{name: noted(name) for name in ("receive_message", "change_message_visibility_batch")})
    redrive_of(bench, sqs=odd).handle({"queue": "requests", "dry_run": True}, lambda: 59.2)
    received = [arguments for name, arguments in calls if name == "receive_message"]
    assert {(one["MaxNumberOfMessages"], one["VisibilityTimeout"]) for one in received} == {(10, 60)}
    released = [arguments["Entries"] for name, arguments in calls if name != "receive_message"]
    assert sorted(map(len, released)) == [5, 10, 10]
    assert bench.dead_letters.visible == 25


def test_one_empty_receive_does_not_end_a_run(bench: Bench) -> None:
    for number in range(12):
        bench.dead_letters.send(BODY, signed(BODY, OURS | {"request_id": f"r-{number}"}))
    calls: list[object] = []

    def every_other_time(**arguments: Any) -> Any:
        calls.append(arguments)
        return {} if len(calls) % 2 else quick.receive_message(**arguments)

    quick = quick_long_polls(bench.sqs)
    response = run(redrive_of(bench, sqs=OddSqs(bench.sqs, receive_message=every_other_time)))
    assert response["moved"] == {"OUTCOME_UNKNOWN": 12}


def test_a_letter_that_is_delivered_twice_moves_once(bench: Bench) -> None:
    bench.dead_letters.send(BODY, signed(BODY, OURS))
    (letter,) = bench.dead_letters.messages()
    pages = iter([{"Messages": [letter]}, {"Messages": [letter]}])
    odd = OddSqs(bench.sqs, receive_message=lambda **_: next(pages, {}))
    assert run(redrive_of(bench, sqs=odd))["moved"] == {"OUTCOME_UNKNOWN": 1}
    assert len(back(bench)) == 1


def test_after_a_crash_between_send_and_delete_both_messages_have_one_identity(bench: Bench) -> None:
    message_id = moved_by_sqs(bench, {})

    def crash(**_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(redrive_of(bench, sqs=OddSqs(bench.sqs, delete_message=crash)))
    run(redrive_of(bench))
    assert [message.first_message_id for message in back(bench)] == [message_id] * 2


def test_nothing_is_moved_without_the_key_or_the_queue(bench: Bench) -> None:
    bench.dead_letters.send(BODY, signed(BODY, OURS))
    keyless = RedriveSettings(
        signing_key_secret_arn="no-such-secret",
        song_requests_queue_url=bench.requests.url,
        dead_letter_queue_url=bench.dead_letters.url,
        song_checks_queue_url=bench.checks.url,
        check_dead_letter_queue_url=bench.dead_checks.url,
        song_recordings_queue_url=None,
        recording_dead_letter_queue_url=None,
    )
    without_key = redrive_letters(keyless, bench.clients())
    without_queue = redrive_letters(replace(keyless, song_requests_queue_url=GONE), bench.clients())
    assert run(without_key)["error"].startswith("SIGNING_KEY_UNAVAILABLE")
    for failing in (without_key, replace(without_queue, proofs=PROOFS)):
        response = run(failing)
        assert (response["moved"], response["is_complete"], "error" in response) == ({}, False, True)
    assert len(bench.dead_letters.messages()) == 1


def test_a_letter_that_its_queue_refuses_stops_no_other(bench: Bench) -> None:
    large, small = "x" * 2000, "small"
    for body in (large, small, large):
        bench.dead_letters.send(body, signed(body, OURS))
    bench.sqs.set_queue_attributes(QueueUrl=bench.requests.url, Attributes={"MaximumMessageSize": "1024"})
    response = run(redrive_of(bench))
    assert (response["moved"], response["not_accepted"]) == ({"OUTCOME_UNKNOWN": 1}, 2)
    assert [message.body for message in back(bench)] == [small]
    assert len(bench.dead_letters.messages()) == 2


def test_checks_return_to_their_own_queue(bench: Bench) -> None:
    bench.dead_checks.send("a check", signed("a check", OURS | {"reason": "NEVER_FINISHED"}))
    assert run(redrive_of(bench), queue="checks")["moved"] == {"NEVER_FINISHED": 1}
    assert [record["body"] for record in bench.checks.records()] == ["a check"]


def test_a_run_stops_before_its_time_is_up(bench: Bench) -> None:
    bench.dead_letters.send(BODY, signed(BODY, OURS))
    response = redrive_of(bench).handle({"queue": "requests"}, lambda: 5.0)
    assert (response["letters"], response["moved"], response["is_complete"]) == ({}, {}, False)


def test_a_run_keeps_the_time_to_release_the_letters_that_stay(bench: Bench) -> None:
    redrive, kept = redrive_of(bench), 20
    for number in range(kept):
        bench.dead_letters.send(BODY, signed(BODY, OURS | {"request_id": f"r-{number}"}))
    # Enough for a receive, but not once some letters are held.
    left = RESERVED_SECONDS + 1 / RELEASES_A_SECOND
    few, is_complete = letters_seen(redrive, left)
    assert (0 < few < kept, is_complete) == (True, False)
    assert letters_seen(redrive, RESERVED_SECONDS + 1) == (kept, True)


def letters_seen(redrive: Redrive, left: float) -> tuple[int, bool]:
    """How many letters a run sees that selects none, and whether it is complete. left: seconds."""
    response: dict[str, Any] = redrive.handle({"queue": "requests", "reason": "REFUSED"}, lambda: left)
    return sum(response["letters"]["OUTCOME_UNKNOWN"].values()), response["is_complete"]


@pytest.mark.parametrize(
    "order",
    [
        {"queue": "others"},
        {"queue": ["requests"]},
        {"reason": "birthday"},
        {"reason": ["REFUSED"]},
        {"limit": 0},
        {"limit": True},
        {"limit": "5"},
        {"older_hours": -1},
        {"older_hours": float("nan")},
        {"older_hours": 10**307},
        {"before": 10**400},
        {"before": "now"},
        {"dry_run": "yes"},
        {"dry-run": True},
    ],
    ids=str,
)
def test_an_order_that_is_not_understood_is_refused(bench: Bench, order: dict[str, object]) -> None:
    with pytest.raises(RedriveRefused):
        run(redrive_of(bench), **order)


def test_a_dry_run_selects_no_more_letters_than_the_limit(bench: Bench) -> None:
    for body in ("one", "two", "three"):
        bench.dead_letters.send(body, signed(body, OURS))
    response = run(redrive_of(bench), dry_run=True, limit=1)
    assert (response["selected"], response["moved"]) == (1, {})
    assert sum(response["letters"]["OUTCOME_UNKNOWN"].values()) == 3, "the others are counted"
