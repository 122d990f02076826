"""The runbook has an entry for each alarm and each reason of a dead letter, and its commands exist."""

import re

import pytest

from song_intake.outgoing.metrics import METRIC_OF_LETTER
from tests.template.transformed import PROJECT, Json, resources, text_of

PLACE = "functions/RUNBOOK.md"
RUNBOOK = (PROJECT / PLACE).read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
OPERATE = (PROJECT / "functions/OPERATE.md").read_text(encoding="utf-8")


def alarms() -> dict[str, Json]:
    """The properties of every alarm, also of those that only a stack with a budget has."""
    created = resources(CreatesPerDay=1, CreatesPerDayAndSender=1)
    return {name: one["Properties"] for name, one in created.items() if one["Type"] == "AWS::CloudWatch::Alarm"}


ALARMS = sorted(alarms())
STACK_NAME = "${AWS::StackName}"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
LONGEST_STACK_NAME = 128
WITHOUT_REASON = "No reason"
ENTRIES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", RUNBOOK, flags=re.MULTILINE | re.DOTALL))
REASONS = {title for title in ENTRIES if re.fullmatch("[A-Z_]+", title)}
COMMANDS = sorted(set(re.findall(r"make [a-z]+(?: [A-Z_]+=[\w-]*)*", RUNBOOK)))


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def description_of(alarm: str) -> str:
    return text_of(alarms()[alarm]["AlarmDescription"])


def recipe_of(target: str) -> str:
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert found, f"make has no target {target}"
    return found[0]


def reads(recipe: str, variable: str) -> bool:
    return re.search(rf"\$\$\{{?{variable}\b", recipe) is not None


def reasons_in_operate() -> set[str]:
    _, _, rest = OPERATE.partition("# Dead letters\n")
    return set(re.findall(r"^\| `([A-Z_]+)`", rest.partition("\n## ")[0], flags=re.MULTILINE))


def test_every_alarm_and_every_reason_has_an_entry_and_no_entry_is_left_over() -> None:
    assert reasons_in_operate() == REASONS
    assert set(ENTRIES) == {*ALARMS, *REASONS, WITHOUT_REASON}


def test_every_reason_of_a_letter_has_one_alarm_on_its_arrival() -> None:
    assert set(METRIC_OF_LETTER) == REASONS


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_its_entry(name: str) -> None:
    description = description_of(name)
    assert description.endswith(f" Runbook: {PLACE}#{anchor(name)}")
    longest = description.replace(STACK_NAME, "n" * LONGEST_STACK_NAME)
    assert len(longest) <= 1024, "CloudWatch's limit"


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_says_what_it_means_what_is_safe_what_to_do_and_when_it_is_over(title: str) -> None:
    assert re.findall(r"^- \*\*(\w+):\*\* \S", ENTRIES[title], flags=re.MULTILINE) == ["Meaning", "Safe", "Do", "Over"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_a_target_with_the_variables_that_it_reads(command: str) -> None:
    _, target, *variables = command.split()
    recipe = recipe_of(target)
    for variable in variables:
        assert reads(recipe, variable.partition("=")[0]), variable


@pytest.mark.parametrize("name", ALARMS)
def test_a_command_in_a_description_names_its_stack_and_does_what_it_says(name: str) -> None:
    for target, variables in re.findall(r"\bmake (\w+)((?: [A-Z_]+=\S+)*)", description_of(name)):
        stack, *others = variables.split()
        assert stack == f"STACK={STACK_NAME}"
        for variable in ("STACK", *others):
            assert reads(recipe_of(target), variable.partition("=")[0])


def test_every_reason_in_a_command_is_one_that_a_letter_may_have() -> None:
    assert set(re.findall(r"REASON=(\w+)", RUNBOOK)) <= REASONS | {"UNFORESEEN"}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))))
def test_a_link_leads_to_a_heading(link: str) -> None:
    assert link in map(anchor, re.findall(r"^#+ (.+)$", RUNBOOK, flags=re.MULTILINE))


def test_the_readme_links_to_the_runbook() -> None:
    assert f"]({PLACE})" in README
