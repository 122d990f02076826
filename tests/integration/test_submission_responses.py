"""What the response to a create does to its request: a shared fault rejects none, and no task id is lost."""

import json
import time

import pytest

from song_intake.domain.decision import Done
from song_intake.domain.reason import SHARED, Reason
from song_intake.work.submission import Submission
from tests.integration.bench import Bench, new_id
from tests.integration.deciding import TITLE, decide, letter_in, record, redriven, retry_in
from tests.local.vendor import answer as said
from tests.local.vendor import behaviour
from tests.local.vendor.behaviour import Behaviour

PAGE = b"<!doctype html><title>404: NOT_FOUND</title>"
EXPIRED = said.VendorError(403, "forbidden", "Your plan has expired.")
QUOTED = said.VendorError(403, "forbidden", "Prompt not allowed: 'no credits for the weary'")


def responds(status: int, body: object, *, creates: bool = False) -> Behaviour:
    return behaviour.answers(status, body if isinstance(body, bytes) else json.dumps(body).encode(), creates=creates)


NOT_CREATED = [
    pytest.param(responds(403, PAGE), Reason.TURNED_AWAY, id="403, a page"),
    pytest.param(responds(404, PAGE), Reason.TURNED_AWAY, id="404, a page"),
    pytest.param(responds(405, b""), Reason.TURNED_AWAY, id="405, empty"),
    pytest.param(behaviour.refuses(said.NOT_FOUND), Reason.ENDPOINT_REFUSED, id="404 of the vendor"),
    pytest.param(behaviour.refuses(said.ENDPOINT_RETIRED), Reason.ENDPOINT_REFUSED, id="410 of the vendor"),
    pytest.param(behaviour.redirects(308, "https://elsewhere.invalid/"), Reason.REDIRECTED, id="308"),
    pytest.param(
        responds(200, {"code": 403, "type": "forbidden", "message": "The remaining credits are not enough. Top up."}),
        Reason.NO_CREDITS,
        id="200 with the code 403",
    ),
]


@pytest.mark.parametrize(("planned", "reason"), NOT_CREATED)
def test_a_fault_that_all_requests_share_rejects_none(
    bench: Bench, submission: Submission, request_id: str, planned: Behaviour, reason: Reason
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert reason in SHARED
    assert retry_in(decide(submission, record(request_id))).reason is reason
    assert (bench.row(request_id)["status"], bench.row(request_id)["reason"]) == ("RETRYING", reason)
    assert isinstance(decide(submission, record(request_id, receives=2)), Done)


CREATED = [
    pytest.param({"data": {"task_id": "task-1"}}, "task-1", id="under data"),
    pytest.param({"data": [{"task_id": "task-1"}]}, "task-1", id="in the first entry of data"),
    pytest.param({"task_id": 4711}, "4711", id="an integer"),
    pytest.param(b'{"task_id": "task-1", "title": "caf\xe9"}', "task-1", id="beside a Latin-1 byte"),
]


@pytest.mark.parametrize(("body", "task_id"), CREATED)
def test_a_task_id_in_hand_is_recorded(
    bench: Bench, submission: Submission, request_id: str, body: object, task_id: str
) -> None:
    bench.vendor.plan(TITLE, responds(200, body, creates=True))
    assert decide(submission, record(request_id)) == Done(task_id)
    assert (bench.row(request_id)["status"], bench.row(request_id)["task_id"]) == ("SUBMITTED", task_id)


def test_a_task_id_is_in_the_log_before_the_ledger_has_it(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    letter = letter_in(decide(submission, record(request_id)))
    (line,) = [line for line in bench.lines() if line["action"] == "created"]
    assert (line["request_id"], line["task_id"]) == (request_id, letter.task_id)


@pytest.mark.parametrize("status", [409, 424])
@pytest.mark.parametrize("body", [PAGE, {"type": "conflict", "error": "busy"}], ids=["a page", "the vendor's form"])
def test_an_undocumented_status_is_in_doubt_and_never_created_again(
    bench: Bench, submission: Submission, request_id: str, status: int, body: object
) -> None:
    bench.vendor.plan(TITLE, responds(status, body, creates=True))
    original = record(request_id)
    letter = letter_in(decide(submission, original))
    assert letter.reason is Reason.OUTCOME_UNKNOWN
    assert letter_in(decide(submission, redriven(original, letter, request_id))).reason is Reason.OUTCOME_UNKNOWN
    assert len(bench.vendor.attempts_of(TITLE)) == 1


def test_a_403_is_about_the_request_while_the_balance_can_pay(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.credits = 500
    bench.vendor.plan(TITLE, behaviour.refuses(QUOTED))
    letter = letter_in(decide(submission, record(request_id)))
    assert (letter.reason, bench.row(request_id)["status"]) == (Reason.REFUSED, "REJECTED")
    assert "balance" not in letter.detail
    assert isinstance(decide(submission, record(new_id("other"))), Done)


def test_a_403_is_about_the_account_when_the_balance_cannot_pay(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.credits = 9
    bench.vendor.plan(TITLE, behaviour.refuses(EXPIRED))
    assert retry_in(decide(submission, record(request_id))).reason is Reason.NO_CREDITS
    assert bench.row(request_id)["status"] == "RETRYING"


def test_the_balance_is_read_once_for_many_403s(bench: Bench, submission: Submission) -> None:
    bench.vendor.plan(TITLE, *[behaviour.refuses(QUOTED)] * 3)
    for _ in range(3):
        letter_in(decide(submission, record(new_id("refused"))))
    assert [request.method for request in bench.vendor.requests].count("GET") == 1


def test_an_unreadable_balance_is_named_in_the_detail(bench: Bench, submission: Submission, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(EXPIRED))
    bench.vendor.on_create(TITLE, lambda _: bench.vendor.refuse_connections())
    letter = letter_in(decide(submission, record(request_id)))
    assert letter.reason is Reason.REFUSED
    assert letter.detail.endswith("; the balance of the account was not known")


def test_the_balance_is_not_asked_without_time_for_it(bench: Bench, submission: Submission, request_id: str) -> None:
    """What is left after the create is needed to settle it."""
    ends_at = time.monotonic() + 30
    bench.vendor.credits = 0
    bench.vendor.plan(TITLE, behaviour.refuses(EXPIRED))

    def time_left() -> float:
        is_sent = bool(bench.vendor.attempts_of(TITLE))
        return submission.settle_margin + 0.1 if is_sent else ends_at - time.monotonic()

    letter = letter_in(decide(submission, record(request_id), time_left))
    assert letter.reason is Reason.REFUSED
    assert letter.detail.endswith("; the balance of the account was not known")
    assert len(bench.vendor.requests) == 1
