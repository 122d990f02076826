"""Every doubt of a time span and reason is resolved at once, through resolve_song's own code."""

import io
import json
import os
import pty
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from song_intake.commands.bulk import resolve_in_bulk
from song_intake.commands.doubts import DoubtSelection
from song_intake.commands.stack import CommandFailed, Target
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger import resolving
from song_intake.work.resolution import DecisionRefused, Resolution
from tests.integration.bench import Bench
from tests.integration.conftest import TimePasses
from tests.integration.ledger_case import UNKNOWN, Case, brought_to, claimed
from tests.integration.resolving import BY, NOT_CREATED_AFTER, resolution_of

WHOLE_SPAN = DoubtSelection(0, 9e9, Reason.OUTCOME_UNKNOWN)


def _nothing(_event: object) -> None:
    """Decisions are handled as they come."""


class ResolveSong:
    """Lambda with resolve_song in it. `order`: what it does before it handles a decision."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self.calls = 0
        self.order: Callable[[object], None] = _nothing

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803 - the names of Lambda
        event = json.loads(Payload)
        self.calls += 1
        if "request_id" in event:
            self.order(event)
        try:
            response = self.resolution.handle(event)
        except DecisionRefused as refused:
            response = {"refused": str(refused)}
        return {"Payload": io.BytesIO(json.dumps(response).encode())}


@pytest.fixture
def function(bench: Bench) -> ResolveSong:
    return ResolveSong(resolution_of(bench))


def _bulk(function: ResolveSong, selection: DoubtSelection = WHOLE_SPAN, *, yes: bool = True) -> int:
    """The exit code."""
    target = Target(stack="song-intake")
    # The values of its cached properties, which would call AWS.
    vars(target).update(functions=function, outputs={"ResolveSongFunctionName": "resolve_song"}, caller=BY)
    return resolve_in_bulk(target, selection, is_confirmed=yes)


def _doubts(bench: Bench, time_passes: TimePasses, count: int = 3) -> list[Case]:
    """New doubts, each ten seconds after the one before, and all old enough to be resolved as not created."""
    cases = []
    for _ in range(count):
        cases.append(brought_to(bench, Status.IN_DOUBT))
        time_passes(10)
    time_passes(NOT_CREATED_AFTER)
    return cases


def _statuses(cases: list[Case]) -> list[str]:
    return [case.row["status"] for case in cases]


def test_the_doubts_are_shown_and_each_is_resolved(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = _doubts(bench, time_passes)
    assert _bulk(function) == 0
    printed = capsys.readouterr()
    lines, (count, result) = printed.out.splitlines(), printed.err.splitlines()
    assert count == "3 requests are in doubt in this time span with this reason:"
    assert [line.split()[2] for line in lines] == [case.request.request_id for case in cases]
    assert all(line.endswith("  OUTCOME_UNKNOWN") for line in lines)
    assert result == "3 done, 0 refused"
    assert _statuses(cases) == ["REJECTED"] * 3
    assert {case.row["resolved_by"] for case in cases} == {BY}


def test_a_list_of_several_pages_is_resolved_whole(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "MOST_LISTED", 2)
    cases = _doubts(bench, time_passes, count=5)
    assert _bulk(function) == 0
    assert _statuses(cases) == ["REJECTED"] * 5


def test_the_span_has_its_start_and_not_its_end(bench: Bench, function: ResolveSong, time_passes: TimePasses) -> None:
    cases = _doubts(bench, time_passes)
    _, second, third = (case.stored_row().changed_at for case in cases)
    assert _bulk(function, DoubtSelection(second, third, Reason.OUTCOME_UNKNOWN)) == 0
    assert _statuses(cases) == ["IN_DOUBT", "REJECTED", "IN_DOUBT"]


def test_a_doubt_with_another_reason_stays(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = _doubts(bench, time_passes)
    assert _bulk(function, DoubtSelection(0, 9e9, Reason.TASK_NOT_RECORDED)) == 0
    assert capsys.readouterr() == ("", "0 requests are in doubt in this time span with this reason.\n")
    assert _statuses(cases) == ["IN_DOUBT"] * 3


def test_a_refused_decision_is_reported_and_the_others_are_made(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, capsys: pytest.CaptureFixture[str]
) -> None:
    old = _doubts(bench, time_passes)
    young = brought_to(bench, Status.IN_DOUBT)
    assert _bulk(function) == 1
    *_, refusal, result = capsys.readouterr().err.splitlines()
    assert refusal.startswith(f"{young.request.request_id}: the music API may still be processing the call")
    assert result == "3 done, 1 refused"
    assert _statuses([*old, young]) == ["REJECTED"] * 3 + ["IN_DOUBT"]


def test_a_request_that_became_a_newer_doubt_after_the_list_is_not_resolved(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = _doubts(bench, time_passes, count=1)

    def becomes_a_newer_doubt(_event: object) -> None:
        function.resolution.handle({"request_id": case.request.request_id, "not_created": True})
        claim = claimed(case.ledger, case.request, "message-2")
        case.ledger.record_in_doubt(claim, UNKNOWN)
        time_passes(NOT_CREATED_AFTER)

    function.order = becomes_a_newer_doubt
    assert _bulk(function) == 1
    assert "the request changed after it was listed" in capsys.readouterr().err
    assert _statuses([case]) == ["IN_DOUBT"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The operator's end of a terminal that is the standard input."""
    ours, its = pty.openpty()
    with os.fdopen(its) as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        yield ours
    os.close(ours)


@pytest.mark.parametrize(
    ("typed", "status"),
    [("y", "REJECTED"), ("Yes", "REJECTED"), ("", "IN_DOUBT"), ("n", "IN_DOUBT"), ("x", "IN_DOUBT")],
)
def test_the_operators_answer_in_a_terminal_decides(
    bench: Bench, function: ResolveSong, time_passes: TimePasses, terminal: int, typed: str, status: str
) -> None:
    cases = _doubts(bench, time_passes)
    os.write(terminal, f"{typed}\n".encode())
    with nullcontext() if status == "REJECTED" else pytest.raises(CommandFailed, match="Nothing was changed"):
        assert _bulk(function, yes=False) == 0
    assert _statuses(cases) == [status] * 3


def test_without_a_terminal_and_a_yes_nothing_is_changed(
    bench: Bench,
    function: ResolveSong,
    time_passes: TimePasses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = _doubts(bench, time_passes)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(CommandFailed, match=r"use --yes .*Nothing was changed"):
        _bulk(function, yes=False)
    assert _statuses(cases) == ["IN_DOUBT"] * 3
    assert function.calls == 1


@pytest.mark.parametrize(
    "start",
    [
        "",
        [],
        {},
        {"request_id": "r"},
        {"request_id": "r", "updated_at": 1},
        {"request_id": "r", "updated_at": "\ud800"},
    ],
)
def test_a_start_that_is_no_next_of_a_list_is_refused(function: ResolveSong, start: object) -> None:
    with pytest.raises(DecisionRefused, match="start"):
        function.resolution.handle({"list": "IN_DOUBT", "start": start})


def test_a_list_that_is_refused_resolves_nothing(function: ResolveSong, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_event: object) -> dict[str, object]:
        raise DecisionRefused("not today")

    monkeypatch.setattr(Resolution, "handle", lambda _self, event: refuse(event))
    with pytest.raises(CommandFailed, match="could not be listed: not today"):
        _bulk(function)
