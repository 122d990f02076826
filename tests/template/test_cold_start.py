"""Each function started with the template's environment: its handler is there, and no garbage collection delays it."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from tests.template.transformed import PROJECT, Json, properties, resources_of, shipped

START = """import gc, importlib, json, sys
before = gc.get_stats()
module = importlib.import_module(sys.argv[1])
collections = sum(now["collections"] - then["collections"] for then, now in zip(before, gc.get_stats()))
print(json.dumps({
    "collections": collections,
    "frozen": gc.get_freeze_count(),
    "enabled": gc.isenabled(),
    "handler": callable(getattr(module, sys.argv[2], None)),
}))"""

FUNCTIONS = sorted(resources_of("AWS::Lambda::Function"))
# Without cold_start there are 36 to 100 collections. A few, of the youngest objects, remain: before the handler's first
# import, and after the start.
LEAST_FROZEN, MOST_COLLECTIONS = 10_000, 10


@cache
def started(function: str) -> Json:
    """The report of a process that imported the function's code as Lambda does."""
    module, handler = properties(function)["Handler"].split(".")
    code = PROJECT / shipped()["Resources"][function]["Properties"]["CodeUri"]
    variables = properties(function)["Environment"]["Variables"]
    # A value that only AWS knows (an ARN, a URL) is some text.
    environment = {
        name: f"https://{name}.invalid" if isinstance(value, dict) else str(value) for name, value in variables.items()
    }
    path = {"PYTHONPATH": f"{code}:{PROJECT}/layers/song_intake", "PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, "-c", START, module, handler],
        env={**environment, **path, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    report: Json = json.loads(run.stdout)
    return report


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_started_function_has_the_handler_that_the_template_names(function: str) -> None:
    assert started(function)["handler"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_garbage_collection_is_off_while_a_function_starts_and_on_afterwards(function: str) -> None:
    report = started(function)
    assert report["collections"] <= MOST_COLLECTIONS
    assert report["frozen"] > LEAST_FROZEN
    assert report["enabled"]
