"""What `make redrive` orders from redrive_letters, and what it prints."""

import io
import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from song_intake.commands import redrive


class Function:
    """redrive_letters with so many letters on the queue of requests. It counts and moves `page` letters at once."""

    def __init__(self, letters: int, page: int = 100, response: Mapping[str, object] | None = None) -> None:
        self.letters, self.page, self.response = letters, page, response
        self.orders: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, object]:  # noqa: N803 - boto3's names
        assert FunctionName == "the-function"
        order = json.loads(Payload)
        self.orders.append(order)
        return {"Payload": io.BytesIO(json.dumps(self.response or self._execute(order)).encode())}

    def _execute(self, order: dict[str, Any]) -> dict[str, object]:
        seen = min(self.letters, self.page) if order["queue"] == "requests" else 0
        moved = 0 if order.get("dry_run") else min(seen, order["limit"])
        self.letters -= moved
        return {
            "letters": {"REFUSED": {"under 1 hour": seen}} if seen else {},
            "selected": seen,
            "moved": {"REFUSED": moved} if moved else {},
            "at": 100.0,
            "is_complete": seen == self.letters,
        }

    def of_requests(self) -> list[dict[str, Any]]:
        return [order for order in self.orders if order["queue"] == "requests"]


def run(monkeypatch: pytest.MonkeyPatch, function: Function, *options: str) -> int:
    monkeypatch.setattr(redrive, "outputs_of", lambda _: {"RedriveLettersFunctionName": "the-function"})
    monkeypatch.setattr(boto3, "client", lambda *_, **__: function)
    return redrive.main([*options, "--", "song-intake"])


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_letters_are_counted_moved_until_none_is_left_and_counted_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = Function(25, page=10)
    assert run(monkeypatch, function) == 0
    report = printed(capsys)["requests"]
    assert report["before"] == {
        "letters": {"REFUSED": {"under 1 hour": 10}},
        "selected": 10,
        "is_complete": False,
    }
    assert (report["moved"], report["after"]["letters"], report["after"]["selected"]) == ({"REFUSED": 25}, {}, 0)
    assert {order["before"] for order in function.of_requests()[1:]} == {100.0}, "letters sent since stay"


def test_no_more_than_the_limit_is_moved(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(25, page=10)
    assert run(monkeypatch, function, "--limit=12", "--reason=REFUSED", "--older=1.5") == 0
    assert printed(capsys)["requests"]["moved"] == {"REFUSED": 12}
    assert function.letters == 13
    assert {(order["reason"], order["older_hours"]) for order in function.orders} == {("REFUSED", 1.5)}


def test_a_dry_run_only_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(5)
    assert run(monkeypatch, function, "--dry-run=1", "--reason=", "--limit=", "--older=") == 0
    assert printed(capsys)["requests"].keys() == {"before"}
    assert all(order["dry_run"] for order in function.orders)


@pytest.mark.parametrize("response", [{"refused": "no"}, {"errorMessage": "timed out"}, {"moved": {}, "error": "Busy"}])
def test_a_failure_is_printed_and_ends_the_command_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], response: dict[str, object]
) -> None:
    assert run(monkeypatch, Function(5, response=response), "--dry-run") == 1
    assert printed(capsys)["requests"]["failed"] == response


@pytest.mark.parametrize(
    "option",
    ["--reason=birthday", "--limit=0", "--limit=-1", "--limit=many", "--older=-1", "--older=nan", "--dry-run=yes"],
)
def test_a_value_that_is_not_understood_is_an_error(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    function = Function(5)
    with pytest.raises(SystemExit):
        run(monkeypatch, function, option)
    assert function.orders == []
