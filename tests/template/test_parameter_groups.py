"""How the console groups the parameters."""

import pytest

from tests.template.transformed import Json, ends, resources, shipped

GROUPS: list[Json] = shipped()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
GROUP_OF = {name: group["Label"]["default"] for group in GROUPS for name in group["Parameters"]}
NAMES = list(shipped()["Parameters"])


def changes_something(name: str, creates_per_minute: int) -> bool:
    """Whether any value of the parameter changes a resource or an alarm at this pace."""
    return any(
        resources(CreatesPerMinute=creates_per_minute, **{name: value})
        != resources(CreatesPerMinute=creates_per_minute)
        for value in ends(name)
    )


def test_every_parameter_is_in_one_group_and_in_its_order() -> None:
    assert [name for group in GROUPS for name in group["Parameters"]] == NAMES


def test_the_groups_state_what_to_do_with_their_parameters() -> None:
    labels = [group["Label"]["default"] for group in GROUPS]
    assert [label.split(" (")[0] for label in labels] == ["You will set", "You may set", "Leave alone"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "CreatesPerMinute"])
def test_a_parameter_that_a_pace_ignores_is_left_alone(name: str) -> None:
    ignored = len(ends(name)) > 1 and not changes_something(name, 20) and changes_something(name, 0)
    states_it = "Used only when CreatesPerMinute is 0" in shipped()["Parameters"][name]["Description"]
    assert states_it is ignored
    assert not ignored or GROUP_OF[name].startswith("Leave alone")
