"""The pictures of the README are drawn from their sources, and these agree with the code."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from song_intake.domain.status import Status
from tests.local.run.cases import samples
from tests.pictures.still import COLUMNS, PICTURES, draw, excerpt
from tests.template.transformed import PROJECT, shipped

NODE = shutil.which("node")
NOWHERE = "received"


def source(name: str) -> str:
    return (PICTURES / f"{name}.dot").read_text(encoding="utf-8")


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_every_picture_is_what_its_source_draws(tmp_path: Path) -> None:
    script = PROJECT / "tests/pictures/draw.mjs"
    subprocess.run([str(NODE), str(script), str(PICTURES), str(tmp_path)], check=True, timeout=60)
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert len(drawn) == 2 * len(list(PICTURES.glob("*.dot")))
    assert {name for name, svg in drawn.items() if (PICTURES / name).read_text(encoding="utf-8") != svg} == set()


def documented_changes() -> set[tuple[str, str]]:
    """The changes of status in the docstring of `Status`: `A | B --why--> C | D`."""
    changes = re.findall(r"^ *([^-\n]+?) --.+?--> ([A-Z_| ]+?)(?:  .*)?$", Status.__doc__ or "", flags=re.MULTILINE)
    return {
        (NOWHERE if before == "(none)" else before, after)
        for befores, afters in changes
        for before in befores.split(" | ")
        for after in afters.split(" | ")
    }


def test_the_picture_of_the_statuses_has_every_change() -> None:
    drawn = set(re.findall(r"^ +(\w+) -> (\w+)", source("states"), flags=re.MULTILINE))
    # Left out: a request that was never claimed may be rejected as well, and a rejected one be cancelled.
    left_out = {(NOWHERE, Status.REJECTED), (Status.REJECTED, Status.REJECTED)}
    assert drawn | left_out == documented_changes()


def test_the_picture_of_the_way_has_functions_and_queues_of_the_template() -> None:
    named = set(re.findall(r'label="(?:Lambda|SQS)\\n([\w-]+)"', source("way")))
    functions = {path.name for path in (PROJECT / "functions").iterdir() if (path / f"{path.name}.py").exists()}
    queues = {
        re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        for name, resource in shipped()["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    assert named - functions - queues == set()


def test_the_still_has_every_sample_and_no_song_that_was_paid_for_twice() -> None:
    for theme in ("light", "dark"):
        svg = (PICTURES / f"run-{theme}.svg").read_text(encoding="utf-8").replace("&#160;", " ")
        assert [case.name for case in samples() if case.name not in svg] == []
        assert re.search(r"songs paid for twice +0 *<", re.sub(r"</?tspan[^>]*>", "", svg))
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", ""), "nothing is loaded from elsewhere"


def test_a_still_is_the_beginning_and_the_summary_of_an_output(tmp_path: Path) -> None:
    table = "\n".join(f"  {second}.0 song  SUBMITTED" for second in range(30))
    summary = "The 2 samples of events/\n  a\n\nEverything ended as expected."
    lines = excerpt(f"Up\n\n  s request  status  task_id or reason\n{table}\n\n{summary}\n\nTo send one:\n")
    assert (lines[0], lines[12:]) == ("  s request  status  task_id or reason", ["...", "", *summary.split("\n")])
    draw([*lines, "x" * COLUMNS * 2], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-dark.svg", "run-light.svg"]
