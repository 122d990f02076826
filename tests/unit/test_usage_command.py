"""What `make usage` prints."""

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from song_intake.commands import usage

ITEM = {
    "request_id": {"S": "#budget:2026-07-01"},
    "used": {"N": "45"},
    "version": {"N": "47"},
    "by:AROASHOP": {"N": "15"},
    "by:AROARADIO": {"N": "30"},
    "senders": {"SS": ["AROASHOP", "AROARADIO"]},
    "expires_at": {"N": "1"},
}


class Account:
    """CloudFormation and DynamoDB with one stack and one item."""

    def __init__(self, parameters: Mapping[str, str], item: Mapping[str, object] | None = None) -> None:
        self.parameters, self.item = parameters, item
        self.keys: list[str] = []

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName != "song-intake":
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        return {
            "Stacks": [
                {
                    "Outputs": [{"OutputKey": "LedgerTableName", "OutputValue": "ledger"}],
                    "Parameters": [
                        {"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()
                    ],
                }
            ]
        }

    def get_item(self, *, TableName: str, Key: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803
        assert TableName == "ledger"
        self.keys.append(Key["request_id"]["S"])
        if self.item is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")
        return {"Item": self.item} if self.item else {}


def lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: Account, *arguments: str
) -> tuple[int, list[str]]:
    monkeypatch.setattr(boto3, "client", lambda *_: account)
    code = usage.main(arguments or ["--day=2026-07-01", "--", "song-intake"])
    return code, capsys.readouterr().out.splitlines()


LIMITS = {"CreatesPerDay": "100", "CreatesPerDayAndSender": "40"}


def test_the_use_of_a_day_is_shown_by_sender_against_the_limits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(LIMITS, ITEM)
    assert lines(monkeypatch, capsys, account) == (
        0,
        [
            "Creates on 2026-07-01 (UTC):",
            "stack      45 of 100, 45 %",
            "AROARADIO  30 of 40, 75 %",
            "AROASHOP   15 of 40, 37 %",
        ],
    )
    assert account.keys == ["#budget:2026-07-01"]


def test_without_a_limit_it_says_which_parameters_set_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unset = {"CreatesPerDay": "0", "CreatesPerDayAndSender": "0"}
    told = "No creates are counted: set CreatesPerDay or CreatesPerDayAndSender."
    assert lines(monkeypatch, capsys, Account(unset, {})) == (0, [told])
    _, shown = lines(monkeypatch, capsys, Account(unset, ITEM))
    assert shown[:3] == [told, "Creates on 2026-07-01 (UTC):", "stack      45, no limit"]


def test_a_day_without_creates_has_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(monkeypatch, capsys, Account(LIMITS, {}))[1][1:] == ["stack  0 of 100, 0 %"]


def test_the_day_is_today_in_utc_if_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(LIMITS, {})
    monkeypatch.setattr("time.time", lambda: 1_700_006_400.0)
    lines(monkeypatch, capsys, account, "--day=", "--", "song-intake")
    assert account.keys == ["#budget:2023-11-15"]


@pytest.mark.parametrize(
    ("account", "arguments", "text"),
    [
        (Account(LIMITS), (), "the ledger could not be read (AccessDeniedException)"),
        (Account(LIMITS), ("--", "other"), "DescribeStacks failed (ValidationError)"),
    ],
)
def test_a_failure_says_what_to_check(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    account: Account,
    arguments: tuple[str, ...],
    text: str,
) -> None:
    code, (line,) = lines(monkeypatch, capsys, account, *arguments)
    assert code == 1
    assert line.startswith(text)


@pytest.mark.parametrize("arguments", [["--day=yesterday", "--", "song-intake"], ["--", ""]])
def test_a_day_that_is_none_and_a_stack_without_a_name_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        usage.main(arguments)
    assert exit_.value.code == 2
