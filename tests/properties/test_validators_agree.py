"""The published schema means the same to every validator: jsonschema-rs here, jsonschema in Python, ajv in JavaScript.

A caller validates a request with the library of its own language. The drawn requests are near the limits of each rule,
where libraries differ: a final line break, characters beyond 16 bits, and the classes of regular expressions.

ajv is not among the pinned packages. Where node finds it (`npm install --no-save ajv`), its test runs too.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import hypothesis.strategies as st
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from song_intake.contract.schema import FIELDS, SCHEMA, errors_in
from song_intake.contract.strict_json import JsonValue
from tests.properties.simulation.profile import schedules

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")

# Answers each line, a request, with a line: true or false. ajv's strict mode also refuses a schema that it cannot read.
AJV = """
const Ajv = require("ajv/dist/2020")
const isValid = new Ajv().compile(JSON.parse(process.argv[1]))
require("readline").createInterface({input: process.stdin}).on("line", line => console.log(isValid(JSON.parse(line))))
"""

CHARACTERS = (
    "a", "Z", "5", " ", ".", "_", "-", ":", "#", "/", "[", "]", "\\", "^", "%", "\"", "\n", "\r", "\t", "\0", "\x0b",
    "\x1c", "\x1f", "\x7f", "\x80", "\x85", "\xa0", "\xad", "\u00e9", "\u0130", "\u017f", "\u0665", "\u0301", "\u180e",
    "\u200b", "\u200d", "\u2028", "\u202e", "\u212a", "\u3000", "\ufeff", "\uff21", "\uffff", "\N{MUSICAL NOTE}",
    "\U000e0041",
)  # fmt: skip
LENGTHS = sorted({limit + more for limit in (0, 1, 20, 64, 80, 128, 256, 1024, 2048) for more in (-1, 0, 1)} - {-1})
TEXTS = st.one_of(
    st.text(st.sampled_from(CHARACTERS), max_size=6),
    st.builds(
        lambda begin, character, length, end: begin + character * (length - len(begin)) + end,
        st.sampled_from(["", "https://a", "https://"]),
        st.sampled_from(CHARACTERS),
        st.sampled_from(LENGTHS),
        st.sampled_from(["", "\n", "a", "\N{MUSICAL NOTE}"]),
    ),
    st.sampled_from(cast("list[str]", FIELDS["mv"]["enum"])),
    st.just("create_music"),
)
NUMBERS = st.sampled_from([0, 1, -0.0, 1.0, 0.2, 0.19999999999999998, 1.0000000000000002, -1e-300, 1e300, 10**300, 5])
VALUES: st.SearchStrategy[JsonValue] = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), st.just([]), st.just({}))
METADATA = st.dictionaries(TEXTS, TEXTS | VALUES, max_size=11)
REQUESTS: st.SearchStrategy[JsonValue] = st.one_of(
    st.fixed_dictionaries({}, optional={**dict.fromkeys(FIELDS, VALUES), "metadata": METADATA | VALUES}),
    # Mostly valid: one field is drawn.
    st.builds(lambda name, value: {"sound": "x", name: value}, st.sampled_from(sorted(FIELDS)), VALUES),
    st.builds(lambda metadata: {"lyrics": "la", "metadata": metadata}, METADATA),
    st.builds(lambda name: {"sound": "x", name: 1}, TEXTS),
    VALUES,
)


PYTHON = Draft202012Validator(SCHEMA)


@schedules(suite=500, campaign=100_000)
@given(request=REQUESTS)
def test_jsonschema_agrees(request: JsonValue) -> None:
    assert PYTHON.is_valid(request) == (errors_in(request) == [])


def ajv_is_missing() -> bool:
    look = [NODE or "", "-e", 'require.resolve("ajv/dist/2020")']
    return NODE is None or subprocess.run(look, cwd=ROOT, capture_output=True, check=False).returncode != 0


@pytest.fixture(scope="module")
def ajv() -> Iterator["subprocess.Popen[str]"]:
    if ajv_is_missing():
        pytest.skip("node or its package ajv is missing: npm install --no-save ajv")
    program = [NODE or "", "-e", AJV, json.dumps(SCHEMA)]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@schedules(suite=500, campaign=100_000)
@given(request=REQUESTS)
def test_ajv_agrees(ajv: "subprocess.Popen[str]", request: JsonValue) -> None:
    assert ajv.stdin is not None
    assert ajv.stdout is not None
    ajv.stdin.write(f"{json.dumps(request)}\n")
    ajv.stdin.flush()
    assert ajv.stdout.readline() == ("true\n" if errors_in(request) == [] else "false\n")
