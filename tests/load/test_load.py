"""The figures of `make load`: what they show of processes and requests, and which of them fail the command.

A slice of the load itself is a thousand requests in end_to_end/test_requests.py; the kills are in
end_to_end/test_faults.py.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.load import run_load
from tests.load.figures import Figure, ends_of, of_ends, of_growth
from tests.load.usage import MIB, Growth, Sample, Usage, growth, sample_of
from tests.local.vendor.record import Create


def used(memory: int, descriptors: int, function: str = "submit_song") -> Usage:
    return Usage(function, memory * MIB, descriptors)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_function_process_is_read_with_its_memory_and_its_descriptors() -> None:
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "submit_song"}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        sample = sample_of([process.pid])
        process.kill()
    assert sample[process.pid].function == "submit_song"
    assert sample[process.pid].memory > MIB
    assert sample[process.pid].descriptors == 3
    assert sample_of([process.pid]) == {}, "it has ended"


def test_only_processes_that_were_there_at_both_times_count() -> None:
    before: list[Sample] = [{1: used(100, 10), 2: used(50, 10)}, {1: used(100, 30), 2: used(50, 10)}]
    after: list[Sample] = [{1: used(110, 12), 3: used(900, 90), 4: used(1, 1, "track_song")}]
    assert growth(before, after) == [Growth("submit_song", 1, 100 * MIB, 110 * MIB, 2)]


def test_more_memory_or_more_descriptors_break_a_limit() -> None:
    steady, grown = Growth("f", 1, 100.0, 104.9, 5), Growth("f", 1, 100.0, 105.1, 6)
    assert not any(figure.is_broken for figure in of_growth([steady]))
    assert sum(figure.is_broken for figure in of_growth([grown])) == 2


def stack_with(rows: Sequence[dict[str, str]], letters: Sequence[str]) -> Any:
    listed = [SimpleNamespace(attributes={"request_id": one}) for one in letters]
    return SimpleNamespace(letters=lambda output="": [] if output else listed, rows=lambda: rows)


def test_a_request_without_an_end_and_without_a_letter_is_lost_and_two_songs_are_paid_twice() -> None:
    statuses = {"ended": "SUCCEEDED", "doubt": "IN_DOUBT", "stuck": "SUBMITTED", "lost": "IN_DOUBT"}
    rows = [{"request_id": one, "status": status} for one, status in statuses.items()]
    creates = [Create(f"task-{number}", "ended", {}, "", time.monotonic()) for number in range(2)]
    ends = ends_of([*statuses, "no row"], stack_with(rows, ["doubt", "ended"]), creates)
    assert (ends.sent, ends.ended, ends.in_doubt, ends.letters) == (5, 1, 2, 1)
    assert ends.lost == ("stuck", "lost", "no row")
    assert ends.paid_twice == ("ended",)
    assert [figure.name for figure in of_ends(ends) if figure.is_broken] == ["requests lost", "requests paid twice"]


@pytest.mark.parametrize(("lost", "status"), [(0, 0), (1, 1)])
def test_the_command_prints_each_figure_and_fails_if_a_limit_is_broken(
    lost: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_load, "under_load", lambda _: [Figure("songs created a second", 21.5)])
    monkeypatch.setattr(run_load, "under_kills", lambda _: [Figure("requests lost", lost, 0)])
    assert run_load.main() == status
    printed = capsys.readouterr().out
    assert "21.5" in printed
    assert ("BROKEN" in printed) == bool(lost)
