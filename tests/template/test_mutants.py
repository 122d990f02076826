"""The tests of the template refuse every mutant: a copy of `template.yaml` with one mistake, and then transformed."""

import pytest

from tests.template.mutants import encryption, messages, numbers, recordings, rights, watching
from tests.template.mutants.mutant import Mutant
from tests.template.transformed import changed

MUTANTS = [
    *(*messages.QUEUES, *messages.MAPPINGS, *messages.TABLE),
    *(*rights.GRANTS, *rights.PRINCIPALS),
    *(*watching.ALARMS, *watching.LOGS, *watching.WEBHOOK, *watching.INTAKE),
    *(*numbers.TIMES, *numbers.PARAMETERS),
    *recordings.RECORDINGS,
    *(*encryption.ENCRYPTION, *encryption.TAGS),
]
# How a test fails: by an assertion, or because what it reads is not there or is there more than once.
REFUSALS = (AssertionError, LookupError, ValueError)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.mistake for mutant in MUTANTS])
def test_a_mistake_is_refused_by_the_test_that_guards_it(mutant: Mutant) -> None:
    with changed(mutant.make), pytest.raises(REFUSALS):
        mutant.refused_by()


def test_the_template_itself_passes_each_of_these_tests() -> None:
    for mutant in MUTANTS:
        mutant.refused_by()


def test_no_mistake_is_listed_twice() -> None:
    assert len({mutant.mistake for mutant in MUTANTS}) == len({(mutant.path, str(mutant.value)) for mutant in MUTANTS})
