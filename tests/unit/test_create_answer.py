"""What an answer of the create endpoint proves. The rows are the table "What one create did" of the design."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song_intake.domain.outcome import Created, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.music_api.answer import LONGEST_RETRY_AFTER_SECONDS, Answer
from song_intake.music_api.create import outcome_of

TASK_ID = "d8b553d0-cb53-442d-aae8-bba319ab5d65"
CREATED = json.dumps({"task_id": TASK_ID, "message": "success"}).encode()
CANARY = "the kettle hums in b minor"


def error(text: str, kind: str = "forbidden", key: str = "error") -> bytes:
    return json.dumps({"type": kind, key: text}).encode()


@pytest.mark.parametrize("status", [200, 201, 202, 299])
@pytest.mark.parametrize("code", [{"code": 200}, {}], ids=["older", "newer"])
def test_a_2xx_with_a_task_id_is_created(status: int, code: dict[str, int]) -> None:
    body = json.dumps({**code, "task_id": TASK_ID, "message": "success"}).encode()
    assert outcome_of(Answer(status, body)) == Created(TASK_ID)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<!doctype html><title>One moment</title>", id="a page"),
        pytest.param(CREATED[:-9], id="cut JSON"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 60_000, id="deep nesting"),
        pytest.param(b"[" + CREATED + b"]", id="an array"),
        pytest.param(b'"' + TASK_ID.encode() + b'"', id="a string"),
        pytest.param(b'{"code": 200, "message": "success"}', id="no task_id"),
        pytest.param(b'{"code": 200, "data": {"task_id": "1"}}', id="task_id elsewhere"),
        pytest.param(b'{"task_id": null}', id="task_id null"),
        pytest.param(b'{"task_id": 17}', id="task_id a number"),
        pytest.param(b'{"task_id": ""}', id="task_id empty"),
        pytest.param(b'{"task_id": "a b"}', id="task_id with a space"),
        pytest.param(b'{"task_id": "a\\n"}', id="task_id with a line break"),
        pytest.param(b'{"task_id": "' + b"x" * 257 + b'"}', id="task_id too long"),
    ],
)
def test_a_2xx_without_a_readable_task_id_leaves_the_create_unknown(body: bytes) -> None:
    outcome = outcome_of(Answer(200, body))
    assert isinstance(outcome, Unknown)
    assert (outcome.reason, outcome.http_status) == (Reason.OUTCOME_UNKNOWN, 200)


@pytest.mark.parametrize(
    "status", [300, 302, 303, 304, 305, 306, 399, 408, 499, 500, 502, 503, 504, 529, 599, 100, 103]
)
def test_a_status_that_does_not_say_leaves_the_create_unknown(status: int) -> None:
    for body in (b"", CREATED, error("Something went wrong. Credits were refunded.", "timeout")):
        outcome = outcome_of(Answer(status, body))
        assert isinstance(outcome, Unknown)
        assert outcome.http_status == status


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_that_keeps_the_method_is_refused_as_a_wrong_address(status: int) -> None:
    outcome = outcome_of(Answer(status, CREATED))
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.http_status) == (Reason.REDIRECTED, status)


ABOUT_THE_ACCOUNT = [
    pytest.param(402, error("You have run out of credits.", "insufficient_credits"), id="402"),
    pytest.param(402, b"<html>", id="402 with a page"),
    pytest.param(403, error("The remaining credits are not enough. Please top up."), id="credits"),
    pytest.param(403, error("You do not have an active subscription. Please subscribe."), id="subscription"),
    pytest.param(403, error("The remaining credits are not enough.", key="message"), id="credits, under message"),
    pytest.param(403, error("YOU DO NOT HAVE AN ACTIVE SUBSCRIPTION", key="detail"), id="capitals, under detail"),
    pytest.param(403, error("No.", "insufficient_credits"), id="told by its type alone"),
]


@pytest.mark.parametrize(("status", "body"), ABOUT_THE_ACCOUNT)
def test_an_account_without_credits_is_not_the_messages_fault(status: int, body: bytes) -> None:
    outcome = outcome_of(Answer(status, body))
    assert isinstance(outcome, Retryable)
    assert (outcome.reason, outcome.http_status) == (Reason.NO_CREDITS, status)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, error("sound_strength must be at least 0.2.", "validation_error"), "validation_error"),
        (403, error("The lyrics contain copyrighted or inappropriate text."), "forbidden"),
        (403, error("Lyrics about a subscription are copyrighted."), "forbidden"),
        (403, error("The song description says: no credits."), "forbidden"),
        (403, error(""), "forbidden"),
        (403, b"<html>", None),
        (404, error("The resource was not found.", "not_found"), "not_found"),
        (405, b"", None),
        (409, b"{}", None),
        (410, error("This task_type is retired.", "endpoint_retired"), "endpoint_retired"),
        (422, error("no", "unprocessable"), "unprocessable"),
        (451, b"", None),
    ],
)
def test_any_other_4xx_is_refused_with_the_vendors_code(status: int, body: bytes, code: str | None) -> None:
    outcome = outcome_of(Answer(status, body))
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.http_status, outcome.vendor_code) == (Reason.REFUSED, status, code)


def test_a_refusal_names_the_subject_it_speaks_of() -> None:
    outcome = outcome_of(Answer(403, error(f"The Lyrics '{CANARY}' hold artist names.")))
    assert isinstance(outcome, Refused)
    assert outcome.detail.endswith("speaks of: artist, lyrics")


def test_a_401_is_the_tokens_fault_and_proves_that_nothing_was_made() -> None:
    outcome = outcome_of(Answer(401, error("The API key is missing.", "unauthorized")))
    assert outcome == Retryable(Reason.TOKEN_REFUSED, "the music API refused the API token", 401, "unauthorized")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("901", LONGEST_RETRY_AFTER_SECONDS),
        ("9" * 400, LONGEST_RETRY_AFTER_SECONDS),
        ("Fri, 01 Jan 2100 00:00:00 GMT", LONGEST_RETRY_AFTER_SECONDS),
    ],
)
def test_retry_after_is_kept_in_either_form_and_capped(header: str, seconds: float) -> None:
    outcome = outcome_of(Answer(429, b"{}", retry_after=header))
    assert isinstance(outcome, Retryable)
    assert (outcome.reason, outcome.retry_after) == (Reason.RATE_LIMITED, seconds)


def test_a_retry_after_date_is_counted_from_now() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    outcome = outcome_of(Answer(429, b"{}", retry_after=header))
    assert isinstance(outcome, Retryable)
    assert outcome.retry_after is not None
    assert 30 < outcome.retry_after <= 60


@pytest.mark.parametrize(
    "header", [None, "", "soon", "-3", "1.5", "nan", "inf", "²", "7, 7", "Wed, 21 Oct 2015 07:28:00 GMT"]
)
def test_a_retry_after_that_makes_no_sense_is_passed_over(header: str | None) -> None:
    outcome = outcome_of(Answer(429, b"{}", retry_after=header))
    assert isinstance(outcome, Retryable)
    assert (outcome.reason, outcome.retry_after) == (Reason.RATE_LIMITED, None)


@given(st.text(max_size=40))
def test_no_retry_after_can_break_the_reading_of_a_429(header: str) -> None:
    outcome = outcome_of(Answer(429, b"", retry_after=header))
    assert isinstance(outcome, Retryable)
    assert outcome.retry_after is None or 0 <= outcome.retry_after <= LONGEST_RETRY_AFTER_SECONDS


# What the vendor's pages list as not created, and the 4xx and redirects that HTTP defines as not acted upon.
NOT_CREATED = {301, 307, 308, *range(400, 500)} - {408, 499}

BODIES = st.one_of(
    st.binary(max_size=200),
    st.just(CREATED),
    st.builds(error, st.sampled_from(["The remaining credits are not enough.", "lyrics", "refunded", CANARY])),
)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_a_documented_status_says_that_nothing_was_created(status: int) -> None:
    for body in (b"", CREATED, b"[]", error("The remaining credits are not enough."), error("refunded", "timeout")):
        outcome = outcome_of(Answer(status, body))
        assert isinstance(outcome, Refused | Retryable) == (status in NOT_CREATED)
        assert isinstance(outcome, Created) == (body == CREATED and status // 100 == 2)


@given(status=st.integers(100, 999), body=BODIES)
def test_no_body_can_turn_an_undocumented_status_into_not_created(status: int, body: bytes) -> None:
    outcome = outcome_of(Answer(status, body))
    assert isinstance(outcome, Refused | Retryable) == (status in NOT_CREATED)


@given(
    status=st.integers(200, 599),
    kind=st.sampled_from(["forbidden", CANARY, f"{CANARY}!", "x" * 65]),
    key=st.sampled_from(["error", "message", "detail"]),
    around=st.sampled_from(["{}", "lyrics: {}", "The remaining credits are not enough: {}", "subscription {} artist"]),
)
def test_the_vendors_text_is_never_in_the_outcome(status: int, kind: str, key: str, around: str) -> None:
    outcome = outcome_of(Answer(status, error(around.format(CANARY), kind, key)))
    assert CANARY not in repr(outcome)
    assert "x" * 65 not in repr(outcome)
