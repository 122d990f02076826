"""`make fuzz` without atheris: a target that fails is found, and its input is kept and replayed."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.fuzz import __main__ as campaign
from tests.fuzz import hypothesis_worker
from tests.fuzz.canaries import CANARY, assert_no_canary, with_canaries
from tests.fuzz.targets import SEEDS, TARGETS, Target

SEED = b'{"seed": "12"}'


def fails_on_a_brace(data: bytes) -> None:
    assert not data.endswith(b"}")


@pytest.fixture
def broken_target(tmp_path: Path) -> Iterator[str]:
    samples = tmp_path / "samples"
    samples.mkdir()
    (samples / "seed.json").write_bytes(SEED)
    with mock.patch.dict(TARGETS, {"broken": Target("broken", fails_on_a_brace, samples)}):
        yield "broken"


def test_the_smallest_input_that_fails_is_kept_and_replayed(broken_target: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        hypothesis_worker.main(broken_target, "100", str(tmp_path))
    (kept,) = tmp_path.glob("crash-*")
    assert kept.read_bytes().endswith(b"}")
    assert len(kept.read_bytes()) <= len(SEED)
    with pytest.raises(AssertionError):
        campaign.main([f"--target={broken_target}", f"--input={kept}"])


def test_a_seed_is_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    seed = SEEDS / "balance" / "plain"
    assert campaign.main(["--target=balance", f"--input={seed}"]) == 0
    assert "holds" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--target=unknown"], ["--input=file"], ["--engine=none"]])
def test_what_cannot_be_run_is_an_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        campaign.main(arguments)


@pytest.mark.parametrize(
    "body",
    [
        {"lyrics": "la"},
        {"metadata": {"a": ["la"]}},
        {"Message": json.dumps({"lyrics": "la"})},
        {"eventSource": "aws:kinesis", "data": base64.b64encode(b'{"lyrics": "la"}').decode()},
    ],
    ids=str,
)
def test_a_canary_is_put_into_every_text_and_found(body: dict[str, object]) -> None:
    planted = with_canaries(json.dumps(body) + " ")
    assert planted is not None
    data = json.loads(planted).get("data")
    with pytest.raises(AssertionError):
        assert_no_canary(base64.b64decode(data) if data else planted)


def test_no_canary_is_put_into_an_id_or_into_what_has_one() -> None:
    assert json.loads(with_canaries('{"request_id":"a" }') or "") == {"request_id": "a", CANARY: 0}
    assert json.loads(with_canaries('{"request_id": "a" }') or "") == {"request_id": "a"}
    assert with_canaries(json.dumps(CANARY)) is None
    assert with_canaries("{") is None
