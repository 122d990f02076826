"""What get-credits reports. What cannot be read is an unknown balance, and never an empty one."""

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
    '{"credits": "50", "extra_credits": "0"}': Balance(50, 0),
    '{"credits": " 50.75 "}': Balance(50, 0),
    '{"credits": "50\\u001d"}': Balance(50, 0),
    '{"data": {"credits": 50, "extra_credits": 5}}': Balance(50, 5),
    '{"data": {"credits": "50"}}': Balance(50, 0),
    '{"code": "200", "data": {"credits": 50}}': Balance(50, 0),
    '{"credits": 0, "data": {"extra_credits": 30}}': Balance(0, 30),
    '{"credits": null, "data": {"credits": 50}}': Balance(50, 0),
    '{"credits": 50, "score": NaN}': Balance(50, 0),
    '{"credits": 0}': Balance(0, 0),
}
UNKNOWN = (
    "",
    "[50]",
    "50",
    "null",
    "{}",
    '{"extra_credits": 50}',
    '{"data": [{"credits": 50}]}',
    '{"data": {"credits": {"total": 50}}}',
    '{"credits": ""}',
    '{"credits": "1,000"}',
    '{"credits": "5_0"}',
    '{"credits": "0x32"}',
    '{"credits": "-5"}',
    '{"credits": "nan"}',
    '{"credits": "none"}',
    '{"credits": "99999999999999999999"}',
    '{"credits": null}',
    '{"credits": true}',
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
def test_a_response_of_another_shape_is_an_unknown_balance(body: str) -> None:
    assert balance_of(Answer(200, body.encode())) == NoAnswer(Reason.BALANCE_UNKNOWN, 200)


REASONS = {401: Reason.TOKEN_REFUSED, 429: Reason.RATE_LIMITED}


@pytest.mark.parametrize("body", [b'{"credits": 50, "extra_credits": 0}', b'{"type": "x", "error": "no"}', b"<html>"])
def test_only_a_2xx_reports_a_balance(body: bytes) -> None:
    for status in (*range(100, 200), *range(300, 600)):
        assert balance_of(Answer(status, body)) == NoAnswer(REASONS.get(status, Reason.BALANCE_UNKNOWN), status)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 429, 500, 503])
def test_an_error_under_200_counts_by_its_code(status: int) -> None:
    body = json.dumps({"code": status, "error": "no", "credits": 0}).encode()
    assert balance_of(Answer(200, body)) == NoAnswer(REASONS.get(status, Reason.BALANCE_UNKNOWN), status)


@pytest.mark.parametrize(
    ("balance", "allows"),
    [(Balance(9, 0), False), (Balance(10, 0), True), (Balance(9, 1), True), (Balance(0, 0), False)],
)
def test_a_song_costs_ten_credits_of_either_kind(balance: Balance, allows: bool) -> None:  # noqa: FBT001
    assert balance.allows_a_song is allows
