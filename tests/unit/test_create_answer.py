"""What a response to a create proves. The table is written out here independently of the code."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import SHARED, Reason
from song_intake.music_api.answer import Answer, task_id_in
from song_intake.music_api.create import outcome_of

TASK_ID = "d8b553d0-cb53-442d-aae8-bba319ab5d65"
CREATED = json.dumps({"task_id": TASK_ID, "message": "success"}).encode()

# The types of errors in the vendor's pages.
PUBLISHED_CODES = (
    "validation_error", "unauthorized", "insufficient_credits", "forbidden", "not_found", "endpoint_retired",
    "rate_limited", "internal_error", "upstream_error", "timeout", "failed", "not_ready",
)  # fmt: skip
CANARY = "the kettle hums in b minor"

REFUSED = (Refused, Reason.REFUSED)
UNKNOWN = (Unknown, Reason.OUTCOME_UNKNOWN)
TOKEN_REFUSED = (Retryable, Reason.TOKEN_REFUSED)
NO_CREDITS = (Retryable, Reason.NO_CREDITS)
ENDPOINT_REFUSED = (Retryable, Reason.ENDPOINT_REFUSED)
REDIRECTED = (Retryable, Reason.REDIRECTED)
RATE_LIMITED = (Retryable, Reason.RATE_LIMITED)
TURNED_AWAY = (Retryable, Reason.TURNED_AWAY)

# Every status that proves "not created": in the vendor's form, and in another form. All others are unknown.
TABLE = {
    301: (REDIRECTED, REDIRECTED),
    307: (REDIRECTED, REDIRECTED),
    308: (REDIRECTED, REDIRECTED),
    400: (REFUSED, TURNED_AWAY),
    401: (TOKEN_REFUSED, TOKEN_REFUSED),
    402: (NO_CREDITS, NO_CREDITS),
    403: (REFUSED, TURNED_AWAY),
    404: (ENDPOINT_REFUSED, TURNED_AWAY),
    405: (ENDPOINT_REFUSED, TURNED_AWAY),
    410: (ENDPOINT_REFUSED, TURNED_AWAY),
    411: (UNKNOWN, TURNED_AWAY),
    413: (REFUSED, REFUSED),
    414: (REFUSED, REFUSED),
    415: (UNKNOWN, TURNED_AWAY),
    421: (UNKNOWN, TURNED_AWAY),
    422: (REFUSED, UNKNOWN),
    429: (RATE_LIMITED, RATE_LIMITED),
    431: (UNKNOWN, TURNED_AWAY),
    451: (UNKNOWN, TURNED_AWAY),
}

FOREIGN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"<!doctype html><title>404: NOT_FOUND</title>", id="a page"),
    pytest.param(b"The page could not be found", id="plain text"),
    pytest.param(CREATED[:-9], id="cut JSON"),
    pytest.param(b"\xff\xfe\x00", id="no text"),
    pytest.param(b"[" * 60_000, id="deep nesting"),
    pytest.param(b"[" + CREATED + b"]", id="an array"),
    pytest.param(b'"' + TASK_ID.encode() + b'"', id="a string"),
    pytest.param(b"null", id="null"),
    pytest.param(b"{}", id="an empty object"),
    pytest.param(b'{"detail": "Not Found", "success": false}', id="an object without a known member"),
]

IN_FORM = [
    pytest.param({"type": "simulated"}, id="type"),
    pytest.param({"error": "no"}, id="error"),
    pytest.param({"message": "no"}, id="message"),
    pytest.param({"code": 999}, id="code"),
    pytest.param({"task_id": None}, id="task_id"),
    pytest.param({"status": "error"}, id="status"),
    pytest.param({"data": None}, id="data"),
]


def error(text: str, kind: str = "forbidden", key: str = "error") -> bytes:
    return json.dumps({"type": kind, key: text}).encode()


def kind_of(outcome: Outcome) -> tuple[type[Outcome], Reason | None]:
    return type(outcome), None if isinstance(outcome, Created) else outcome.reason


@pytest.mark.parametrize("members", IN_FORM)
def test_every_status_in_the_vendors_form_has_its_meaning(members: dict[str, object]) -> None:
    for status in range(100, 600):
        outcome = outcome_of(Answer(status, json.dumps(members).encode()))
        assert kind_of(outcome) == TABLE.get(status, (UNKNOWN, UNKNOWN))[0], status
        assert not isinstance(outcome, Created)
        assert outcome.http_status == status


@pytest.mark.parametrize("body", FOREIGN)
def test_every_status_in_another_form_has_its_meaning(body: bytes) -> None:
    for status in range(100, 600):
        outcome = outcome_of(Answer(status, body))
        assert kind_of(outcome) == TABLE.get(status, (UNKNOWN, UNKNOWN))[1], status
        assert not isinstance(outcome, Created)
        assert (outcome.http_status, outcome.vendor_code) == (status, None)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_a_2xx_with_a_task_id_is_created(status: int) -> None:
    assert isinstance(outcome_of(Answer(status, CREATED)), Created) == (status // 100 == 2)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        *[(code, code) for code in PUBLISHED_CODES],
        ("Forbidden", "forbidden"),
        ("the-kettle-hums", "other"),
        ("forbidden\n", "other"),
        ("", "other"),
        (403, "other"),
        (["forbidden"], "other"),
        (None, None),
    ],
)
def test_only_a_published_code_of_the_vendor_is_kept(kind: object, code: str | None) -> None:
    outcome = outcome_of(Answer(400, json.dumps({"type": kind, "error": "no"}).encode()))
    assert isinstance(outcome, Refused)
    assert outcome.vendor_code == code
    assert "kettle" not in outcome.detail


def test_a_foreign_response_never_rejects_a_request_but_for_its_size() -> None:
    rejected = {status for status, (_, (kind, _)) in TABLE.items() if kind is Refused}
    assert rejected == {413, 414}
    retried = {reason for _, (kind, reason) in TABLE.values() if kind is Retryable}
    assert retried <= SHARED


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        pytest.param(b'{"code": 200, "task_id": "t-1", "message": "success"}', "t-1", id="older"),
        pytest.param(b'{"task_id": "t-1", "message": "success"}', "t-1", id="newer"),
        pytest.param(b'{"task_id": 4711}', "4711", id="an integer"),
        pytest.param(b'{"task_id": 12345678901234567890}', "12345678901234567890", id="a large integer"),
        pytest.param(b'{"data": {"task_id": "t-1"}}', "t-1", id="under data"),
        pytest.param(b'{"data": {"task_id": 4711}}', "4711", id="under data, an integer"),
        pytest.param(b'{"data": [{"task_id": "t-1"}, {"task_id": "t-2"}]}', "t-1", id="in the first entry of data"),
        pytest.param(b'{"task_id": null, "data": {"task_id": "t-1"}}', "t-1", id="null at the top"),
        pytest.param(b'{"code": 403, "task_id": "t-1"}', "t-1", id="beside the code of an error"),
        pytest.param(b'{"title": "caf\xe9", "task_id": "t-1"}', "t-1", id="beside a Latin-1 byte"),
        pytest.param(b'\xef\xbb\xbf{"task_id": "t-1"}', "t-1", id="after a byte order mark"),
        pytest.param('{"task_id": "t-1"}'.encode("utf-16"), "t-1", id="in UTF-16"),
        pytest.param(b'{"score": NaN, "task_id": "t-1"}', "t-1", id="beside NaN"),
        pytest.param(b'{"n": ' + b"9" * 5_000 + b', "task_id": "t-1"}', "t-1", id="beside 5,000 digits"),
        pytest.param(b'{"title": "\\ud83d", "task_id": "t-1"}', "t-1", id="beside half a surrogate pair"),
        pytest.param(b'{"title": "a\nb", "task_id": "t-1"}', "t-1", id="beside a raw line break"),
        pytest.param(b'{"task_id": "t-0", "task_id": "t-1"}', "t-1", id="given twice"),
        pytest.param(b'{"task_id": "t-1", "task_id": null}', "t-1", id="given twice, the second time null"),
        pytest.param(b'{"a": ' + b"[" * 40 + b"]" * 40 + b', "task_id": "t-1"}', "t-1", id="beside 40 levels"),
        pytest.param(b'{"padding": "' + b"x" * 71_680 + b'", "task_id": "t-1"}', "t-1", id="in 70 KB"),
    ],
)
def test_a_task_id_in_hand_is_never_lost(body: bytes, task_id: str) -> None:
    assert outcome_of(Answer(200, body)) == Created(task_id)


@pytest.mark.parametrize(
    "value", [None, "", "a b", "a\n", "é", "\ud83d", "x" * 257, 0, -1, True, 17.5, 10**256, [], ["t-1"], {"id": "t-1"}]
)
def test_a_2xx_without_a_readable_task_id_leaves_the_create_unknown(value: object) -> None:
    for members in ({"task_id": value}, {"data": {"task_id": value}}, {"data": [{"task_id": value}]}):
        assert kind_of(outcome_of(Answer(200, json.dumps(members).encode()))) == UNKNOWN


NAMED: list[dict[str, object]] = [
    {"task_id": "t-1"},
    {"task_id": " t-1"},
    {"task_id": 1.5},
    {"task_id": {"id": "t-1"}},
    {"data": {"task_id": "t-1"}},
    {"data": [{"task_id": "t-1"}]},
    {"data": [{}, None, {"task_id": "t-1"}]},
    {"result": {"songs": [[], [{"task_id": "t-1"}]]}},
]


@pytest.mark.parametrize("named", NAMED, ids=str)
@pytest.mark.parametrize("status", [status for status in TABLE if status >= 400])
def test_an_error_that_names_a_task_is_no_proof_that_nothing_was_created(status: int, named: dict[str, object]) -> None:
    """Nor is its code under 200; if the task can be read there, the song is created."""
    error = {"type": "rate_limited", "error": "x", **named}
    assert isinstance(outcome_of(Answer(status, json.dumps(error).encode())), Unknown)
    under_200 = outcome_of(Answer(200, json.dumps({**error, "code": status}).encode()))
    assert isinstance(under_200, Created if task_id_in(named) else Unknown)


@pytest.mark.parametrize("nothing", [None, ""], ids=repr)
def test_an_empty_task_id_names_no_task(nothing: object) -> None:
    error = {"type": "validation_error", "task_id": nothing, "data": [{"task_id": nothing}]}
    assert isinstance(outcome_of(Answer(400, json.dumps(error).encode())), Refused)


@pytest.mark.parametrize("http_status", [200, 201, 202, 299])
@pytest.mark.parametrize("status", range(400, 600))
def test_the_code_of_an_error_under_2xx_counts_as_the_status(http_status: int, status: int) -> None:
    for code in (status, str(status), float(status)):
        outcome = outcome_of(Answer(http_status, json.dumps({"code": code, "type": "Rate_Limited"}).encode()))
        assert kind_of(outcome) == TABLE.get(status, (UNKNOWN, UNKNOWN))[0]
        assert not isinstance(outcome, Created)
        assert (outcome.http_status, outcome.vendor_code) == (status, "rate_limited")


@pytest.mark.parametrize("code", [200, 202, 301, 308, "301", 0, 1, -403, 4030, 403.5, "403x", "", True, None, [403]])
def test_any_other_code_under_2xx_leaves_the_create_unknown(code: object) -> None:
    assert kind_of(outcome_of(Answer(200, json.dumps({"code": code, "message": "no"}).encode()))) == UNKNOWN


@pytest.mark.parametrize("status", [302, 409, 424, 500, 504])
def test_a_task_that_an_unclear_response_names_is_in_the_detail(status: int) -> None:
    outcome = outcome_of(Answer(status, CREATED))
    assert isinstance(outcome, Unknown)
    assert outcome.detail.endswith(f"names the task {TASK_ID}")


ABOUT_THE_ACCOUNT = [
    pytest.param(402, error("You have run out of credits.", "insufficient_credits"), id="402"),
    pytest.param(403, error("The remaining credits are not enough. Please top up."), id="credits"),
    pytest.param(403, error("You do not have an active subscription. Please subscribe."), id="subscription"),
    pytest.param(403, error("The remaining credits are not enough.", key="message"), id="credits, under message"),
    pytest.param(403, error("YOU DO NOT HAVE AN ACTIVE SUBSCRIPTION", key="detail"), id="capitals, under detail"),
    pytest.param(403, error("No.", "insufficient_credits"), id="by its type"),
    pytest.param(
        200, b'{"code": 403, "type": "forbidden", "message": "The remaining credits are not enough."}', id="as a code"
    ),
]


@pytest.mark.parametrize(("status", "body"), ABOUT_THE_ACCOUNT)
def test_an_account_sentence_at_the_beginning_is_about_the_account(status: int, body: bytes) -> None:
    outcome = outcome_of(Answer(status, body))
    assert isinstance(outcome, Retryable)
    assert (outcome.reason, outcome.http_status) == (Reason.NO_CREDITS, 403 if status == 200 else status)


@pytest.mark.parametrize(
    "text",
    [
        "Prompt not allowed: 'no credits for the weary'",
        "The lyrics contain: The remaining credits are not enough.",
        "Not allowed: you do not have an active subscription",
        "'You do not have an active subscription' is a quote.",
        "Your plan has expired.",
        "The lyrics contain copyrighted or inappropriate text.",
        "No credits",
        "",
    ],
)
def test_for_any_other_403_of_the_vendor_the_balance_decides(text: str) -> None:
    outcome = outcome_of(Answer(403, error(text)))
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.vendor_code, outcome.balance_decides) == (Reason.REFUSED, "forbidden", True)


def test_the_balance_decides_nothing_else() -> None:
    for status in range(100, 600):
        for body in (b"", error("no", "simulated"), error("Your plan has expired.")):
            outcome = outcome_of(Answer(status, body))
            assert getattr(outcome, "balance_decides", False) == (status == 403 and body != b"")


def test_a_refusal_names_the_terms_of_our_list() -> None:
    outcome = outcome_of(Answer(403, error(f"The Lyrics '{CANARY}' hold artist names.")))
    assert isinstance(outcome, Refused)
    assert outcome.detail.endswith("terms found in the vendor's message: artist, lyrics")


BODIES = st.one_of(
    st.binary(max_size=200),
    st.just(CREATED),
    st.builds(error, st.sampled_from(["The remaining credits are not enough.", "lyrics", "refunded", CANARY])),
    st.dictionaries(st.sampled_from(["type", "code", "data", "task_id", "error"]), st.text() | st.integers()).map(
        lambda members: json.dumps(members).encode()
    ),
)


@given(status=st.integers(100, 999).filter(lambda status: status not in TABLE and status // 100 != 2), body=BODIES)
def test_no_body_can_turn_an_undocumented_status_into_not_created(status: int, body: bytes) -> None:
    assert kind_of(outcome_of(Answer(status, body))) == UNKNOWN


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
