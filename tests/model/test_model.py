"""Small configurations of the models, checked in a few seconds. `make model` checks the full ones."""

from pathlib import Path

import pytest

from tests.model import check_model
from tests.model.check_model import MUTANTS, Mutant, find_jar, is_found, java, run, run_mutant

pytestmark = [
    pytest.mark.skipif(java() is None, reason="Java is not installed"),
    pytest.mark.skipif(find_jar() is None, reason="tla2tools.jar is missing: `make model` downloads it"),
]


@pytest.fixture
def jar() -> Path:
    found = find_jar()
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["at_most_once_small", "idempotency_record"])
def test_the_design_holds_and_the_usual_recipe_does_not(name: str, jar: Path) -> None:
    expected = {check.name: check.expected for check in check_model.CHECKS}
    done = run(name, jar)
    assert done.returncode == expected.get(name, 0), done.stdout


@pytest.mark.parametrize("name", ["budget", "budget_without_version"])
def test_no_more_is_created_than_the_budget_of_a_day(name: str, jar: Path) -> None:
    expected = {check.name: check.expected for check in check_model.CHECKS}
    done = run(name, jar, "Budget")
    assert done.returncode == expected[name], done.stdout


@pytest.mark.parametrize("name", ["keeping_acknowledged_first", "keeping_without_all", "keeping_without_letter"])
def test_the_model_of_recordings_without_one_rule_is_found_broken(name: str, jar: Path) -> None:
    expected = {check.name: check.expected for check in check_model.CHECKS}
    done = run(name, jar, "Keeping")
    assert done.returncode == expected[name], done.stdout


def test_redrives_and_expired_rows_keep_the_invariants(jar: Path) -> None:
    done = run("lifetime_small", jar, "Lifetime")
    assert done.returncode == 0, done.stdout


# `make model` has all of them.
QUICK = ("letter_without_proof", "last_decision_without_row", "acknowledged_before_sent_anew")


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.rule in QUICK], ids=lambda one: one.rule)
def test_the_model_without_one_rule_is_found_broken(mutant: Mutant, jar: Path) -> None:
    done = run_mutant(mutant, jar)
    assert is_found(mutant, done), done.stdout
