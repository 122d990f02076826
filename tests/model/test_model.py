"""Small configurations of the ledger's model, checked in a few seconds. `make model` checks the full ones."""

import pytest

from tests.model import check_model
from tests.model.check_model import find_jar, java, run


@pytest.mark.skipif(java() is None, reason="Java is not installed")
@pytest.mark.skipif(find_jar() is None, reason="tla2tools.jar is missing: `make model` downloads it")
@pytest.mark.parametrize("name", ["at_most_once_small", "idempotency_record"])
def test_the_design_holds_and_the_usual_recipe_does_not(name: str) -> None:
    jar = find_jar()
    assert jar is not None
    expected = {check.name: check.expected for check in check_model.CHECKS}
    done = run(name, jar)
    assert done.returncode == expected.get(name, 0), done.stdout
