"""What `usage` prints."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from song_intake.commands.__main__ import program
from song_intake.commands.program import run
from song_intake.commands.stack import Target

ITEM = {
    "request_id": {"S": "#budget:2026-07-01"},
    "used": {"N": "45"},
    "version": {"N": "47"},
    "by:AROASHOP": {"N": "15"},
    "by:AROARADIO": {"N": "30"},
    "senders": {"SS": ["AROASHOP", "AROARADIO"]},
    "expires_at": {"N": "1"},
}


class Table:
    """DynamoDB with one item. None: the caller may not read it."""

    def __init__(self, parameters: Mapping[str, str], item: Mapping[str, object] | None = None) -> None:
        self.parameters, self.item = parameters, item
        self.keys: list[str] = []

    def get_item(self, *, TableName: str, Key: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803
        assert TableName == "ledger"
        self.keys.append(Key["request_id"]["S"])
        if self.item is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")
        return {"Item": self.item} if self.item else {}


def lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: Table, *options: str
) -> tuple[int, list[str]]:
    """The exit code, and the lines of the answer or of the error."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in table.parameters.items()]
    monkeypatch.setattr(Target, "described", {"Parameters": given})
    monkeypatch.setattr(Target, "outputs", {"LedgerTableName": "ledger"})
    monkeypatch.setattr(Target, "dynamodb", table)
    code = run(program, ["--stack=song-intake", "usage", *(options or ["--day=2026-07-01"])])
    printed = capsys.readouterr()
    return code, (printed.err if code else printed.out).splitlines()


LIMITS = {"CreatesPerDay": "100", "CreatesPerDayAndSender": "40"}


def test_the_use_of_a_day_is_shown_by_sender_against_the_limits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(LIMITS, ITEM)
    assert lines(monkeypatch, capsys, table) == (
        0,
        [
            "Creates on 2026-07-01 (UTC):",
            "stack      45 of 100, 45 %",
            "AROARADIO  30 of 40, 75 %",
            "AROASHOP   15 of 40, 37 %",
        ],
    )
    assert table.keys == ["#budget:2026-07-01"]


def test_without_a_limit_it_says_which_parameters_set_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unset = {"CreatesPerDay": "0", "CreatesPerDayAndSender": "0"}
    told = "No creates are counted: set CreatesPerDay or CreatesPerDayAndSender."
    assert lines(monkeypatch, capsys, Table(unset, {})) == (0, [told])
    _, shown = lines(monkeypatch, capsys, Table(unset, ITEM))
    assert shown[:3] == [told, "Creates on 2026-07-01 (UTC):", "stack      45, no limit"]


def test_a_day_without_creates_has_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(monkeypatch, capsys, Table(LIMITS, {}))[1][1:] == ["stack  0 of 100, 0 %"]


def test_the_day_is_today_in_utc_if_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(LIMITS, ITEM)
    monkeypatch.setattr("time.time", lambda: 1_700_006_400.0)
    _, shown = lines(monkeypatch, capsys, table, "--json")
    assert table.keys == ["#budget:2023-11-15"]
    assert json.loads("\n".join(shown)) == {
        "day": "2023-11-15",
        "used": 45,
        "by_sender": {"AROARADIO": 30, "AROASHOP": 15},
        "limits": {"stack": 100, "sender": 40},
    }


def test_a_ledger_that_may_not_be_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines(monkeypatch, capsys, Table(LIMITS)) == (
        1,
        ["Error: the ledger could not be read (AccessDeniedException): you need dynamodb:GetItem on it"],
    )
