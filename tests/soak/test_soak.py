"""`make soak` in small: a hundred messages, and a broken part that it reports with the seed to repeat it."""

import threading
from concurrent.futures import Future

import pytest

from song_intake.domain.outcome import Outcome, Retryable
from song_intake.domain.trace import Trace
from song_intake.music_api.client import Connection
from song_intake.work import batch
from tests.properties.simulation.clock import simulated_time
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.vendor import SimulatedConnection, SimulatedMusicApi
from tests.properties.simulation.world import Parts
from tests.soak import run_soak
from tests.soak.schedules import Figures, run, run_schedule

SEED = 1


class _CreatesTwice(SimulatedConnection):
    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        super().create(body, token, trace)
        return super().create(body, token, trace)


class _TwoSongs(SimulatedMusicApi):
    def connect(self) -> Connection | Retryable:
        connection = super().connect()
        return connection if isinstance(connection, Retryable) else _CreatesTwice(self._world, self._vendor)


BROKEN = Parts(music_api=_TwoSongs)


@pytest.fixture
def broken_run(monkeypatch: pytest.MonkeyPatch) -> str:
    """The seed of a schedule that pays twice, as SOAK_SEED, with the broken part in place."""
    monkeypatch.setattr(run_soak, "SETTINGS", (BROKEN,))
    seed = next(seed for seed, violation in run(SEED, range(20), BROKEN).violations if violation.startswith("1."))
    monkeypatch.setenv("SOAK_SEED", seed)
    return seed


def test_a_hundred_messages_are_neither_lost_nor_paid_for_twice() -> None:
    figures = run(SEED, range(60))
    assert figures.violations == []
    assert figures.most_creates == 1
    assert figures.counts["messages"] > 100
    assert min(figures.counts[name] for name in ("crashes", "songs", "in doubt")) > 0


def test_a_seed_gives_the_same_schedule_each_time() -> None:
    first, second = (run_schedule("7:3", Parts()) for _ in range(2))
    assert first == second


def test_a_schedule_that_pays_twice_is_reported_with_the_seed_that_repeats_it(
    broken_run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_soak.main() == 1
    first, *steps = capsys.readouterr().out.splitlines()
    assert "was created twice" in first
    assert any("creates the song" in step for step in steps)


def test_a_schedule_that_breaks_nothing_can_be_repeated_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOAK_SEED", "1:0")
    assert run_soak.main() == 0
    assert "breaks nothing" in capsys.readouterr().out


def test_an_exception_is_a_violation_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Explorer) -> None:
        raise KeyError("missing")

    monkeypatch.setattr(Explorer, "_drain", fail)
    ((seed, violation),) = run_schedule("1:0", Parts()).violations
    assert seed == "1:0"
    assert "KeyError: 'missing'" in violation
    assert "is sent" in violation


def test_the_command_prints_its_seed_and_one_line_a_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_soak, "SCHEDULES_AT_ONCE", 5)
    for name, value in {"SOAK_MESSAGES": "10", "SOAK_SEED": "3", "SOAK_PROCESSES": "1"}.items():
        monkeypatch.setenv(name, value)
    assert run_soak.main() == 0
    printed = capsys.readouterr().out
    assert "with the seed 3" in printed
    for line in ("messages ", "most creates of one request", "messages lost", "messages a second"):
        assert line in printed


def test_the_end_of_the_function_in_real_time_does_not_end_a_stopped_record() -> None:
    """A busy machine once took a minute for a schedule: its functions ended, and their records were still stopped."""
    stopped = Future[None]()
    with simulated_time(lambda: 0.0, lambda: 0.0):
        waiting = threading.Thread(target=vars(batch)["wait"], args=([stopped], 0.0))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        stopped.set_result(None)
        waiting.join()


@pytest.mark.parametrize(
    "figures",
    [Figures(most_creates=2), Figures(violations=[("1:1", "2. message 1 is neither on a queue nor SUBMITTED")])],
    ids=["two creates", "a violation"],
)
def test_a_broken_limit_fails_the_soak(figures: Figures) -> None:
    assert not run_soak.is_good(figures)
