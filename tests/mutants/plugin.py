"""A plugin of pytest that runs each mutant's tests in a process of its own, forked after the collection.

The order: all tests once, to measure which functions each of them calls; then each mutant with the tests that call its
function, the cheapest first, until one fails. The local cloud is started once, by this process, for all mutants.
"""

import contextlib
import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from tests.local.cloud.aws_clients import AwsClients
from tests.local.cloud.cloud import Cloud
from tests.mutants.forked import End, Job, run_all
from tests.mutants.mutant import FOLDER, ROOMS, Mutant
from tests.mutants.outcomes import Outcome

MEASURE: Final = "stats"
"""mutmut's name for the mode in which its switches report their calls."""
MUTANTS_A_LINE: Final = 100
SERVICES: Final = ("dynamodb", "events", "secretsmanager", "sqs", "stepfunctions")
"""The services that the tests use. To make their clients takes as long as many tests."""
SLOWEST_TEST: Final = 1.5
"""In seconds. Slower tests wait on purpose, or search for rare schedules."""


_OUTCOMES: Final = {0: Outcome.SURVIVED, 1: Outcome.KILLED, None: Outcome.HUNG}


@dataclass(frozen=True, slots=True)
class Measured:
    """One test without any mutant."""

    seconds: float
    switches: list[str]
    """The functions that it calls, by mutmut's names."""


@dataclass(frozen=True, slots=True)
class Trial:
    mutant: Mutant
    items: Sequence[pytest.Item]
    seconds: float
    """Of its tests, as measured without it."""

    def job(self, killers: Sequence[str]) -> Job:
        """killers: tests that come first, the latest of them at first."""
        first = {test: number for number, test in enumerate(reversed(killers))}
        items = sorted(self.items, key=lambda item: first.get(item.nodeid, len(first)))
        return Job(self.mutant.name, partial(_try, self.mutant, items), 20 + 5 * self.seconds)


class Mutants:
    """tested: called with each mutant's outcome, and the test that killed it."""

    def __init__(
        self, mutants: Sequence[Mutant], jobs: int, seconds: float, tested: Callable[[str, Outcome, str], None]
    ) -> None:
        """seconds: the most that the tests of one mutant take, as measured without it: the cheapest tests first."""
        self._mutants = {mutant.name: mutant for mutant in mutants}
        self._jobs = jobs
        self._seconds = seconds
        self._tested = tested
        self._killers = defaultdict[str, list[str]](list)
        """The tests that killed a mutant of the function so far. They are likely to kill its others."""

    def pytest_sessionstart(self) -> None:
        """Hypothesis neither shrinks nor keeps an input that fails: one failure is enough to kill a mutant."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", parent=settings.get_profile("suite"), phases=phases, database=None)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        with _shared_cloud(session):
            trials = self._trials(session.items)
            jobs = (trial.job(self._killers[trial.mutant.switch]) for trial in trials)
            for number, (job, status, output) in enumerate(run_all(jobs, self._jobs), start=1):
                if number % MUTANTS_A_LINE == 0:
                    sys.stderr.write(f"\n{number} of {len(trials)} mutants")
                test = output.partition("\n")[0]
                if status == 1 and test:
                    self._killers[self._mutants[job.name].switch].append(test)
                self._tested(job.name, _OUTCOMES[status], test)
        return True

    def _trials(self, all_items: Sequence[pytest.Item]) -> list[Trial]:
        """Room by room, the mutants with few tests first."""
        items = {item.nodeid: item for item in all_items}
        measured = _measured(all_items)
        trials = []
        for mutant in self._mutants.values():
            chosen = _chosen(mutant, items, measured, self._seconds)
            if chosen:
                trials.append(Trial(mutant, chosen, sum(measured[item.nodeid].seconds for item in chosen)))
            else:
                self._tested(mutant.name, Outcome.UNTESTED, "")
        return sorted(trials, key=lambda trial: (ROOMS.index(trial.mutant.room), trial.seconds))


def _chosen(
    mutant: Mutant, items: Mapping[str, pytest.Item], measured: Mapping[str, Measured], seconds: float
) -> list[pytest.Item]:
    calling = [test for test, one in measured.items() if mutant.switch in one.switches and one.seconds < SLOWEST_TEST]
    calling.sort(key=lambda test: measured[test].seconds)
    alone = _within(seconds / 2, [test for test in calling if not _needs_cloud(items[test])], measured)
    on_cloud = _within(seconds / 2, [test for test in calling if _needs_cloud(items[test])], measured)
    return [items[test] for test in _file_by_file([*alone, *on_cloud], measured)]


def _file_by_file(tests: Sequence[str], measured: Mapping[str, Measured]) -> list[str]:
    """The cheap files first. Tests of one file stay together, since a file may prepare a table."""
    files = defaultdict[str, list[str]](list)
    for test in sorted(tests, key=lambda test: measured[test].seconds):
        files[test.partition("::")[0]].append(test)
    by_cost = sorted(files.values(), key=lambda tests: fmean(measured[test].seconds for test in tests))
    return [test for tests in by_cost for test in tests]


def _within(seconds: float, tests: Sequence[str], measured: Mapping[str, Measured]) -> list[str]:
    ends = itertools.accumulate(measured[test].seconds for test in tests)
    return [test for test, end in zip(tests, ends, strict=True) if end <= seconds]


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
        ((_, status, output),) = run_all([Job("measure", partial(_measure, unknown), 3_600)], 1)
        if status != 0:
            raise pytest.UsageError(f"a test fails without any mutant: {output}")
        known |= {test: [digests[test], *one] for test, one in json.loads(output).items()}
        file.write_text(json.dumps(known), encoding="utf-8")
    return {test: Measured(*one) for test, (_, *one) in known.items()}


def _measure(items: Sequence[pytest.Item], end: End) -> None:
    set_mutant_under_test(MEASURE)
    failures, measured = _Failures(items), dict[str, tuple[float, list[str]]]()
    for item, following in _with_following(items):
        state()._stats.clear()
        began = time.monotonic()
        if failure := failures.of(item, following):
            end(1, failure)
        measured[item.nodeid] = (time.monotonic() - began, sorted(state()._stats))
    end(0, json.dumps(measured))


def _try(mutant: Mutant, items: Sequence[pytest.Item], end: End) -> None:
    """A mutant is killed by a test that fails twice: on a busy machine, a test with a time-out may fail once."""
    set_mutant_under_test(mutant.name)
    failures = _Failures(items)
    for item, following in _with_following(items):
        if failures.of(item, following) and (failure := failures.of(item, following)):
            end(1, failure)


def _with_following(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each with the next one, so that pytest keeps the fixtures that both need."""
    return zip(items, [*items[1:], None], strict=True)


class _Failures:
    """Runs tests, and says which failed and how."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._failure = ""
        items[0].config.pluginmanager.register(self)

    def of(self, item: pytest.Item, following: pytest.Item | None) -> str:
        """The test and its traceback; empty if it passes."""
        self._failure = ""
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return self._failure

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failure:
            self._failure = f"{report.nodeid}\n{report.longreprtext}"


@contextlib.contextmanager
def _shared_cloud(session: pytest.Session) -> Iterator[None]:
    """One local cloud for all processes. They also inherit its clients, none of which has a connection yet."""
    if not any(map(_needs_cloud, session.items)):
        yield
        return
    with tempfile.TemporaryDirectory() as folder, Cloud(Path(folder)) as cloud, pytest.MonkeyPatch.context() as patch:
        clients = AwsClients(cloud.endpoint_url, cloud.ca_bundle)
        for service in SERVICES:
            clients.client(service)
        patch.setattr(cloud, "client", clients.client)
        patch.setattr(sys.modules["tests.conftest"], "Cloud", lambda *_, **__: contextlib.nullcontext(cloud))
        yield
