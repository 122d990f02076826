"""The tables of the documents are the code's: nothing in one that is not in the other. Links lead somewhere."""

import ast
import re
from pathlib import Path

import pytest

from song_intake.admission.pace import MOST_SLOW, PAUSE_INTERVALS, RECOVERY_SECONDS, SECONDS_A_MINUTE
from song_intake.admission.pace_item import PACE_KEY
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.metrics import METRICS
from tests.documents import section_of
from tests.template.transformed import PROJECT, shipped

PACKAGE = PROJECT / "layers/song_intake/song_intake"
README, FUNCTIONS = "README.md", "functions/README.md"
DEPLOY, OPERATE = "functions/DEPLOY.md", "functions/OPERATE.md"
DOCUMENTS = sorted(
    path.relative_to(PROJECT).as_posix()
    for place in (".", "events", "functions", "layers", "tests", "tests/model", "tests/performance")
    for path in (PROJECT / place).glob("*.md")
)


def text_of(document: str) -> str:
    return (PROJECT / document).read_text(encoding="utf-8")


def section(document: str, title: str) -> str:
    return section_of(text_of(document), title)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    names = (re.sub(r"\]\([^)]*\)", "", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", name).lower().replace(" ", "-") for name in names}


def test_the_readme_is_a_front_page() -> None:
    assert len(text_of(README).splitlines()) <= 260


def codes_in_the_first_column(text: str) -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)`", text, flags=re.MULTILINE)


def test_every_parameter_stands_in_the_settings_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", section(FUNCTIONS, "Settings"), flags=re.MULTILINE)
    parameters = {name: str(parameter["Default"]) for name, parameter in shipped()["Parameters"].items()}
    assert dict(rows) == parameters


def test_every_status_is_explained() -> None:
    told = section(README, "Read what became of it")
    assert set(codes_in_the_first_column(told)) == set(Status)


def test_every_reason_is_that_of_an_end_a_dead_letter_or_a_wait() -> None:
    ends = codes_in_the_first_column(section(OPERATE, "How songs end"))
    letters = codes_in_the_first_column(section(OPERATE, "Dead letters"))
    waits = [code for code in re.findall(r"`([A-Z_]+)`", section(OPERATE, "Retry reasons")) if code in set(Reason)]
    assert sorted(ends + letters + waits) == sorted(Reason)


def test_the_pace_is_told_by_its_own_numbers() -> None:
    told = " ".join(section(FUNCTIONS, "Pace").split())
    pace = shipped()["Parameters"]["CreatesPerMinute"]["Default"]
    assert f"a create every {SECONDS_A_MINUTE // pace} seconds, so `CreatesPerMinute` is {pace}" in told
    assert f"10,000 requests take {10_000 // pace} minutes" in told
    assert f"an hour is {60 * pace:,} requests at {pace} a minute" in told
    assert f"`{PACE_KEY}`" in told
    assert ("three intervals" in told, "up to eight times" in told, "within 5 minutes" in told) == (
        PAUSE_INTERVALS == 3,
        MOST_SLOW == 8,
        RECOVERY_SECONDS == 300,
    )


def test_the_functions_at_once_of_each_pace_are_those_of_the_template() -> None:
    text = section(DEPLOY, "Limits of a new account")
    paces = shipped()["Mappings"]["Paces"]
    default = str(shipped()["Parameters"]["CreatesPerMinute"]["Default"])
    stated = {pace: int(count) for count, pace in re.findall(r"(\d+)\s+at\s+(\d+)", text)}
    assert stated == {pace: paces[pace]["MaximumConcurrency"] for pace in ("60", "120", "300", "600")}
    assert f"The default pace needs {paces[default]['MaximumConcurrency']} for `submit_song`" in " ".join(text.split())
    checks = shipped()["Parameters"]["MaximumConcurrency"]["Default"]
    assert f"up to {checks} for `track_song`" in " ".join(text.split())


def test_every_metric_is_named() -> None:
    assert set(METRICS) <= set(re.findall(r"`(\w+)`", section(OPERATE, "Logs and metrics")))


def test_every_room_is_described_by_its_own_line_in_their_order() -> None:
    table = section("layers/README.md", "The rooms of the package")
    rows = re.findall(r"^\| \[(\w+)\]\([^)]+\) \| (.+) \|$", table, flags=re.MULTILINE)
    described = {room: ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) for room, _ in rows}
    assert {room: " ".join((line or "").split()) for room, line in described.items()} == dict(rows)
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == described.keys()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_into_the_project_leads_somewhere(document: str) -> None:
    """A file that exists, and a heading in it if the link names one."""
    text = text_of(document)
    folder = (PROJECT / document).parent
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text) + re.findall(r'(?:srcset|src)="(?!https?:)([^"]+)"', text)
    for link in links:
        path, _, heading = link.partition("#")
        target: Path = folder / path if path else PROJECT / document
        assert target.exists(), link
        assert not heading or heading in anchors(target.read_text(encoding="utf-8")), link
