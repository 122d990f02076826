"""`make bench-quick`: every design does the same work, and every figure is measured. No time is asserted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.performance.clients import Clients
from tests.performance.designs import LABELS, Design
from tests.performance.figures import MEANINGS, Figures, Paced
from tests.performance.measured import FILE, Measured, renew
from tests.performance.measuring import PARTS, QUICK, measure
from tests.performance.plots import THEMES
from tests.performance.report import plots, report, write_readme
from tests.performance.stub import PROJECT, StubProcess
from tests.performance.stub_record import Record, task_of
from tests.performance.work import WorkNotDone, check

README = PROJECT / "tests/performance/README.md"
TITLES = ["bench-song-1", "bench-song-2"]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figures]:
    """Each batch of these samples has passed `check`, which raises if a design does less work."""
    folder = tmp_path_factory.mktemp("bench")
    with StubProcess(folder) as stub:
        # The pace has its own tests.
        yield measure(Clients(stub, folder), QUICK, set(PARTS) - {"paced"})


def test_every_design_does_the_work_of_every_batch_that_counts(figures: Figures) -> None:
    assert figures.warm
    assert {sample.design for sample in figures.warm.all} == {*LABELS, Design.API_CALL}
    for part in (figures.hundred, figures.first, figures.peak):
        assert part
        assert {sample.design for sample in part.all} >= {Design.OURS, Design.THREADS, Design.FLOOR, Design.API_CALL}


def test_every_figure_has_its_key(figures: Figures) -> None:
    by_key = json.loads(json.dumps(replace(figures, paced=Paced(0.97, 0)).by_key()))
    assert list(by_key) == list(MEANINGS)
    assert all(value > 0 for name, value in by_key.items() if name != "paced_429s")


def test_what_was_not_measured_has_no_key(figures: Figures) -> None:
    assert Figures().by_key() == {}
    assert set(replace(figures, warm=None).by_key()).isdisjoint(
        {"batch10_wall_over_api", "batch10_cpu_over_sequential"}
    )


def test_the_report_names_every_design_and_every_figure(figures: Figures) -> None:
    text = report(figures)
    assert [name for name in (*LABELS.values(), *figures.by_key()) if name not in text] == []


def test_the_report_can_be_written_into_the_readme_again_and_again(figures: Figures, tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    for _ in range(2):
        write_readme(copy, figures)
        assert copy.read_text(encoding="utf-8").count(report(figures)) == 1


def test_new_cpu_times_are_stored_and_the_other_figures_are_kept(figures: Figures, tmp_path: Path) -> None:
    copy = tmp_path / "measured.json"
    copy.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    before, times = Measured.load(copy), figures.cpu_of_a_song()
    renew(times, "in a test", copy)
    assert Measured.load(copy) == replace(before, **times)
    assert len(times) == 2


def test_the_readme_shows_every_plot_light_and_dark(figures: Figures, tmp_path: Path) -> None:
    shown = re.findall(r'"(plots/[^"]+)"', README.read_text(encoding="utf-8"))
    for plot in plots(figures):
        plot.write(tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert len(drawn) == len(plots(figures)) * len(THEMES)
    assert {Path(path).name for path in shown} == drawn
    assert [path for path in shown if not (README.parent / path).exists()] == []


def test_the_figures_in_the_readme_have_these_meanings() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [\d.e+-]+ \| (.*) \|$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows
    assert dict(rows).items() <= MEANINGS.items()


def complete() -> Record:
    """The requests of this handler for the whole work on TITLES."""
    songs, tasks = Counter(TITLES), Counter(map(task_of, TITLES))
    return Record(Counter(songs), Counter(songs), Counter(tasks), Counter(tasks), Counter(tasks))


def test_complete_work_passes() -> None:
    check(Design.OURS, TITLES, complete())


@pytest.mark.parametrize("part", ["claimed", "created", "recorded", "tracked", "published"])
def test_a_design_that_omits_a_part_is_found(part: str) -> None:
    record = complete()
    getattr(record, part).popitem()
    with pytest.raises(WorkNotDone, match=f"songs {part}: 1 missing, 0 too many"):
        check(Design.OURS, TITLES, record)


def test_a_design_that_creates_a_song_twice_is_found() -> None:
    record = complete()
    record.created[TITLES[0]] += 1
    with pytest.raises(WorkNotDone, match="songs created: 0 missing, 1 too many"):
        check(Design.OURS, TITLES, record)


def test_a_design_that_records_the_task_of_another_song_is_found() -> None:
    record = complete()
    record.recorded = Counter({task_of(TITLES[0]): 1, task_of("bench-song-3"): 1})
    with pytest.raises(WorkNotDone, match="songs recorded: 1 missing, 1 too many"):
        check(Design.OURS, TITLES, record)
