"""A plugin of pytest that runs each mutant's tests in a process of its own, forked after the collection.

The order: all tests once, to measure which functions each of them calls; then each mutant with the tests that call its
function, the cheapest first, until one fails. The local cloud is started once, by this process, for all mutants.
"""

import contextlib
import copy
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from tests.local.cloud.aws_clients import AwsClients
from tests.local.cloud.cloud import Cloud
from tests.mutants.forked import End, Job, run_all
from tests.mutants.generated import FOLDER, ROOMS, Mutant
from tests.mutants.outcomes import Outcome

MEASURE: Final = "stats"
"""mutmut's name for the mode in which its switches report their calls."""
SECONDS_OF_TESTS: Final = 6.0
"""The most that one mutant gets, as measured without it: the cheapest tests first."""
SLOWEST_TEST: Final = 1.5
"""In seconds. Slower tests wait on purpose, or search for rare schedules."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One test without any mutant."""

    seconds: float
    switches: list[str]
    """The functions that it calls, by mutmut's names."""


class Mutants:
    """tested: called with each mutant's outcome, and the test that killed it."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int, tested: Callable[[str, Outcome, str], None]) -> None:
        self._mutants = mutants
        self._jobs = jobs
        self._tested = tested

    def pytest_sessionstart(self) -> None:
        """Hypothesis neither shrinks nor keeps an input that fails: one failure is enough to kill a mutant."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", parent=settings.get_profile("suite"), phases=phases, database=None)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        with _shared_cloud(session):
            measured = _measured(session.items)
            jobs = []
            for mutant in self._mutants:
                chosen = _chosen(mutant, items, measured)
                seconds = sum(measured[item.nodeid].seconds for item in chosen)
                if chosen:
                    jobs.append(Job(mutant.name, _trial(mutant, chosen), 30 + 6 * seconds, seconds))
                else:
                    self._tested(mutant.name, Outcome.UNTESTED, "")
            outcomes = {0: Outcome.SURVIVED, 1: Outcome.KILLED, None: Outcome.HUNG}
            jobs.sort(key=lambda job: (ROOMS.index(job.name.split(".")[1]), job.expected_seconds))
            for job, status, output in run_all(jobs, self._jobs):
                self._tested(job.name, outcomes[status], output)
        return True


def _chosen(mutant: Mutant, items: Mapping[str, pytest.Item], measured: Mapping[str, Measured]) -> list[pytest.Item]:
    calling = [
        items[test] for test, one in measured.items() if mutant.switch in one.switches and one.seconds < SLOWEST_TEST
    ]
    # Those of the local cloud come last, file by file, since each of their modules prepares a table.
    calling.sort(
        key=lambda item: (_needs_cloud(item), _needs_cloud(item) and str(item.path), measured[item.nodeid].seconds)
    )
    chosen, left = [], SECONDS_OF_TESTS
    for item in calling:
        left -= measured[item.nodeid].seconds
        if left < 0:
            break
        chosen.append(item)
    return chosen


def _needs_cloud(item: pytest.Item) -> bool:
    return "cloud" in getattr(item, "fixturenames", ())


def _measured(items: Sequence[pytest.Item]) -> dict[str, Measured]:
    """What each test calls: measured in a process of its own. What was measured of the same files before is kept."""
    file = FOLDER / "measured.json"
    package = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(FOLDER.glob("song_intake/**/*.py"))))
    sources = {item.path: package.copy() for item in items}
    for path, digest in sources.items():
        digest.update(path.read_bytes())
    digests = {item.nodeid: sources[item.path].hexdigest() for item in items}
    known: dict[str, list[Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known = {test: one for test, one in known.items() if one[0] == digests.get(test)}
    if unknown := [item for item in items if item.nodeid not in known]:
        ((_, status, output),) = run_all([Job("measure", partial(_measure, unknown), 3_600, 0)], 1)
        if status != 0:
            raise pytest.UsageError(f"a test fails without any mutant: {output}")
        known |= {test: [digests[test], *one] for test, one in json.loads(output).items()}
        file.write_text(json.dumps(known), encoding="utf-8")
    return {test: Measured(*one) for test, (_, *one) in known.items()}


def _measure(items: Sequence[pytest.Item], end: End) -> None:
    set_mutant_under_test(MEASURE)
    measured: dict[str, tuple[float, list[str]]] = {}
    with _ending_at_the_first_failure(items, end):
        for item, following in _with_following(items):
            state()._stats.clear()
            began = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            measured[item.nodeid] = (time.monotonic() - began, sorted(state()._stats))
    end(0, json.dumps(measured))


def _trial(mutant: Mutant, items: Sequence[pytest.Item]) -> Callable[[End], None]:
    def run(end: End) -> None:
        set_mutant_under_test(mutant.name)
        with _ending_at_the_first_failure(items, end):
            for item, following in _with_following(items):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    return run


def _with_following(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    """Each with the next one, so that pytest keeps the fixtures that both need. The last keeps its own."""
    return zip(items, [*items[1:], items[-1]], strict=True)


@contextlib.contextmanager
def _ending_at_the_first_failure(items: Sequence[pytest.Item], end: End) -> Iterator[None]:
    class Failures:
        @staticmethod
        def pytest_runtest_logreport(report: pytest.TestReport) -> None:
            if report.failed:
                end(1, f"{report.nodeid}\n{report.longreprtext}")

    plugin = Failures()
    manager = items[0].config.pluginmanager
    manager.register(plugin)
    yield
    manager.unregister(plugin)


@contextlib.contextmanager
def _shared_cloud(session: pytest.Session) -> Iterator[None]:
    """One local cloud for all processes, each with clients of its own: connections cannot be shared."""
    if not any(map(_needs_cloud, session.items)):
        yield
        return
    with tempfile.TemporaryDirectory() as folder, Cloud(Path(folder)) as cloud:

        def shared(*_: object, **__: object) -> contextlib.AbstractContextManager[Cloud]:
            mine = copy.copy(cloud)
            mine.client = AwsClients(cloud.endpoint_url, cloud.ca_bundle).client
            return contextlib.nullcontext(mine)

        fixtures = sys.modules["tests.conftest"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fixtures, "Cloud", shared)
            yield
