"""The published schema means the same to every validator: jsonschema-rs here, jsonschema in Python, ajv in JavaScript.

A caller validates a request with the library of its own language. The drawn requests are near the limits of each rule,
where libraries differ: a final line break, characters beyond 16 bits, and the classes of regular expressions.

ajv runs where there is Node: `make test` installs it from tests/node.
"""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from song_intake.contract.schema import FIELDS, SCHEMA, errors_in
from song_intake.contract.strict_json import JsonValue
from tests.properties.simulation.profile import schedules

NODE_PACKAGES = Path(__file__).parents[1] / "node"
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
LIMITS = (0, 1, 20, 64, 80, 128, 256, 1024, 2048)
LENGTHS = sorted({limit + more for limit in LIMITS for more in (-1, 0, 1)} - {-1})
CHARACTER = st.sampled_from(CHARACTERS)
ODD = st.just("") | st.just("") | CHARACTER


def near_limits(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    """A character repeated, with at most one other character before and after it."""
    repeated = st.sampled_from(["a", "5", "\N{MUSICAL NOTE}"]) | CHARACTER
    return st.builds(lambda *parts: "".join(parts), ODD, st.builds(str.__mul__, repeated, lengths), ODD)


TEXTS = near_limits(st.integers(1, 5)) | near_limits(st.sampled_from(LENGTHS))
NUMBERS = st.sampled_from([0, 1, -0.0, 1.0, 0.2, 0.19999999999999998, 1.0000000000000002, -1e-300, 1e300, 10**300, 0.7])
ANY: st.SearchStrategy[JsonValue] = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), st.just([]), st.just({}))
FITTING: st.SearchStrategy[JsonValue] = TEXTS
METADATA = st.dictionaries(TEXTS, FITTING, max_size=3) | st.dictionaries(CHARACTER, FITTING | ANY, max_size=11)
MOMENTS = st.builds(
    "{}{}T{}:00:{}{}{}".format,
    st.sampled_from(["2026", "1969", "2100", "2099"]),
    st.sampled_from(["-07-01", "-02-30", "-13-01", "-00-10", "-7-1"]),
    st.sampled_from(["18", "24", "00"]),
    st.sampled_from(["00", "60", "59.5", "01."]),
    st.sampled_from(["Z", "z", "+02:00", "-23:59", "+24:00", ""]),
    ODD,
) | st.sampled_from([0, 4102444799.5, 4102444800, -1, 1e12])


def values_of(field: Mapping[str, JsonValue]) -> st.SearchStrategy[JsonValue]:
    """Values of the field's type, of which many fit."""
    match field:
        case {"enum": list(values)}:
            return st.sampled_from(values)
        case {"const": value}:
            return st.just(value)
        case {"type": "number"}:
            return NUMBERS
        case {"type": "object"}:
            return METADATA
        case {"type": "boolean"}:
            return st.booleans()
        case {"anyOf": _}:
            return MOMENTS
        case {"pattern": str(pattern)} if pattern.startswith("^https://"):
            return st.builds("https://a{}".format, TEXTS)
        case _:
            return TEXTS


DRAWN = {name: values_of(field) for name, field in FIELDS.items()}
ONE_DRAWN = [st.builds(lambda value, name=name: {"lyrics": "la", name: value}, DRAWN[name]) for name in FIELDS]
REQUESTS: st.SearchStrategy[JsonValue] = st.one_of(
    *ONE_DRAWN,
    st.fixed_dictionaries({}, optional=DRAWN),
    st.builds(lambda name, value: {"sound": "x", name: value}, st.sampled_from(sorted(FIELDS)), ANY),
    st.builds(lambda name: {"sound": "x", name: 1}, TEXTS),
    ANY,
)

PYTHON = Draft202012Validator(SCHEMA)


@schedules(suite=500, campaign=100_000)
@given(request=REQUESTS)
def test_jsonschema_agrees(request: JsonValue) -> None:
    assert PYTHON.is_valid(request) == (errors_in(request) == [])


def test_many_of_the_drawn_requests_are_valid() -> None:
    verdicts = Counter[bool]()

    @settings(max_examples=200, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(request=REQUESTS)
    def count(request: JsonValue) -> None:
        verdicts[errors_in(request) == []] += 1

    count()
    assert min(verdicts[True], verdicts[False]) > 40


def ajv_is_missing() -> bool:
    look = [NODE or "", "-e", 'require.resolve("ajv/dist/2020")']
    return NODE is None or subprocess.run(look, cwd=NODE_PACKAGES, capture_output=True, check=False).returncode != 0


@pytest.fixture(scope="module")
def ajv() -> Iterator["subprocess.Popen[str]"]:
    if ajv_is_missing():
        pytest.skip("node or its package ajv is missing")
    program = [NODE or "", "-e", AJV, json.dumps(SCHEMA)]
    with subprocess.Popen(
        program, cwd=NODE_PACKAGES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
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
