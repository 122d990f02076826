"""What `redrive` orders from redrive_letters, and what it prints."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from song_intake.commands.__main__ import program
from song_intake.commands.program import run
from song_intake.commands.stack import Target


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


def redrive(monkeypatch: pytest.MonkeyPatch, function: Function, *options: str) -> int:
    monkeypatch.setattr(Target, "outputs", {"RedriveLettersFunctionName": "the-function"})
    monkeypatch.setattr(Target, "functions", function)
    return run(program, ["--stack=song-intake", "redrive", *options])


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_letters_are_counted_moved_until_none_is_left_and_counted_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = Function(25, page=10)
    assert redrive(monkeypatch, function, "--json") == 0
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
    assert redrive(monkeypatch, function, "--limit=12", "--reason=REFUSED", "--older=1.5", "--json") == 0
    assert printed(capsys)["requests"]["moved"] == {"REFUSED": 12}
    assert function.letters == 13
    assert {(order["reason"], order["older_hours"]) for order in function.orders} == {("REFUSED", 1.5)}


def test_a_dry_run_only_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(5)
    assert redrive(monkeypatch, function, "--dry-run", "--json") == 0
    assert printed(capsys)["requests"].keys() == {"before"}
    assert all(order["dry_run"] for order in function.orders)


@pytest.mark.parametrize("response", [{"refused": "no"}, {"errorMessage": "timed out"}, {"moved": {}, "error": "Busy"}])
def test_a_failure_is_printed_and_ends_the_command_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], response: dict[str, object]
) -> None:
    assert redrive(monkeypatch, Function(5, response=response), "--dry-run", "--json") == 1
    assert printed(capsys)["requests"]["failed"] == response


def test_one_line_a_queue_has_the_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert redrive(monkeypatch, Function(25, page=10)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "requests: 10 (REFUSED 10) or more, 10 selected; moved 25 (REFUSED 25); 0 left",
        "checks: 0, 0 selected; moved 0; 0 left",
    ]
    assert redrive(monkeypatch, Function(5, response={"errorMessage": "timed out"})) == 1
    assert capsys.readouterr().out.splitlines()[0] == "requests: failed: timed out"
