"""The README's tables are the code's: nothing in one that is not in the other."""

import re

import pytest

from song_intake.admission.pace import MOST_SLOW, PAUSE_INTERVALS, RECOVERY_SECONDS, SECONDS_A_MINUTE
from song_intake.admission.pace_item import PACE_KEY
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.metrics import METRICS
from tests.template.transformed import PROJECT, shipped

README = (PROJECT / "README.md").read_text(encoding="utf-8")


DEPLOY = (PROJECT / "functions" / "DEPLOY.md").read_text(encoding="utf-8")


def section(title: str, document: str = README) -> str:
    """The text under a heading, up to the next one."""
    _, _, rest = document.partition(f"# {title}\n")
    assert rest, f"there is no section {title}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def codes_in_the_first_column(text: str) -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)`", text, flags=re.MULTILINE)


def test_every_parameter_stands_in_the_settings_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", section("Settings"), flags=re.MULTILINE)
    parameters = {name: str(parameter["Default"]) for name, parameter in shipped()["Parameters"].items()}
    assert dict(rows) == parameters


def test_every_status_is_explained() -> None:
    told = section("Request statuses")
    assert set(codes_in_the_first_column(told)) == set(Status)


def test_every_reason_is_that_of_an_end_a_dead_letter_or_a_wait() -> None:
    ends = codes_in_the_first_column(section("How songs end"))
    letters = codes_in_the_first_column(section("Dead letters"))
    waits = [code for code in re.findall(r"`([A-Z_]+)`", section("Retry reasons")) if code in set(Reason)]
    assert sorted(ends + letters + waits) == sorted(Reason)


def test_the_pace_is_told_by_its_own_numbers() -> None:
    told = " ".join(section("Pace").split())
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
    text = section("Limits of a new account", DEPLOY)
    paces = shipped()["Mappings"]["Paces"]
    default = str(shipped()["Parameters"]["CreatesPerMinute"]["Default"])
    stated = {pace: int(count) for count, pace in re.findall(r"(\d+)\s+at\s+(\d+)", text)}
    assert stated == {pace: paces[pace]["MaximumConcurrency"] for pace in ("60", "120", "300", "600")}
    assert f"The default pace needs {paces[default]['MaximumConcurrency']} for `submit_song`" in " ".join(text.split())
    checks = shipped()["Parameters"]["MaximumConcurrency"]["Default"]
    assert f"up to {checks} for `track_song`" in " ".join(text.split())


def test_every_metric_is_named() -> None:
    assert set(METRICS) <= set(re.findall(r"`(\w+)`", section("Logs and metrics")))


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_every_link_into_the_project_leads_somewhere(link: str) -> None:
    assert (PROJECT / link).exists()
