"""What get-credits says: read strictly, since the intake goes on by it."""

import json

import pytest

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.answer import Answer
from song_intake.music_api.credits import Balance, balance_of

BALANCES = {
    '{"credits": 50, "extra_credits": 0}': Balance(50, 0),
    '{"credits": 0, "extra_credits": 30}': Balance(0, 30),
    '{"credits": 50}': Balance(50, 0),
    '{"credits": 50, "extra_credits": null}': Balance(50, 0),
    '{"code": 200, "message": "success", "credits": 9.9, "extra_credits": 0.5}': Balance(9, 0),
}
UNKNOWN = (
    "",
    "[50]",
    "50",
    "null",
    "{}",
    '{"extra_credits": 50}',
    '{"data": {"credits": 50}}',
    '{"credits": null}',
    '{"credits": true}',
    '{"credits": "50"}',
    '{"credits": -1}',
    '{"credits": NaN}',
    '{"credits": 1e400}',
    '{"credits": 1e13}',
    '{"credits": 50, "extra_credits": "many"}',
    '{"credits": 50, "extra_credits": -50}',
    "<html>credits: 50</html>",
)


@pytest.mark.parametrize(("body", "balance"), BALANCES.items(), ids=BALANCES)
def test_a_balance_is_read(body: str, balance: Balance) -> None:
    assert balance_of(Answer(200, body.encode())) == balance


@pytest.mark.parametrize("body", UNKNOWN)
def test_an_answer_of_another_shape_tells_no_balance(body: str) -> None:
    assert balance_of(Answer(200, body.encode())) == NoAnswer(Reason.BALANCE_UNKNOWN, 200)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.TOKEN_REFUSED),
        (429, Reason.RATE_LIMITED),
        *((status, Reason.BALANCE_UNKNOWN) for status in (301, 302, 400, 402, 403, 404, 500, 502, 503)),
    ],
)
def test_a_refusal_tells_no_balance_whatever_its_body_says(status: int, reason: Reason) -> None:
    body = json.dumps({"credits": 50, "extra_credits": 0}).encode()
    assert balance_of(Answer(status, body)) == NoAnswer(reason, status)


@pytest.mark.parametrize(
    ("balance", "allows"),
    [(Balance(9, 0), False), (Balance(10, 0), True), (Balance(9, 1), True), (Balance(0, 0), False)],
)
def test_a_song_costs_ten_credits_of_either_kind(balance: Balance, allows: bool) -> None:  # noqa: FBT001
    assert balance.allows_a_song is allows
