"""A function that starts with the template's environment: nothing is looked through for garbage until it has."""

import json
import os
import subprocess
import sys

import pytest

from tests.template.transformed import PROJECT, properties, resources_of

STARTS = """import gc, json, sys
before = gc.get_stats()
__import__(sys.argv[1])
looks = sum(now["collections"] - then["collections"] for then, now in zip(before, gc.get_stats()))
print(json.dumps({"looks": looks, "kept": gc.get_freeze_count(), "again": gc.isenabled()}))"""

# Without cold_start there are three dozen looks, or a hundred. A few, at the youngest objects, are left: before the
# handler's first import, and after all is made.
KEPT, LOOKS = 10_000, 10


@pytest.mark.parametrize("function", sorted(resources_of("AWS::Lambda::Function")))
def test_python_looks_for_no_garbage_while_a_function_starts_and_does_so_after(function: str) -> None:
    module = properties(function)["Handler"].partition(".")[0]
    variables = properties(function)["Environment"]["Variables"]
    # What only AWS knows is a text here, as there.
    told = {
        name: f"https://{name}.invalid" if isinstance(value, dict) else str(value) for name, value in variables.items()
    }
    path = {"PYTHONPATH": f"{PROJECT}/functions/{module}:{PROJECT}/layers/song_intake", "PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, "-c", STARTS, module],
        env={**told, **path, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = json.loads(run.stdout)
    assert seen["looks"] <= LOOKS
    assert seen["kept"] > KEPT
    assert seen["again"]
