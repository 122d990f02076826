"""The life of a request on moto: a second opinion on AWS, from services that refuse every batched statement."""

import json
from typing import Any

import pytest

from song_intake.aws.signing_key import SigningKey
from tests.integration import unreachable
from tests.integration.bench import Bench, new_id, song
from tests.integration.decisions import abandon
from tests.integration.resolving import BY, NOT_CREATED_AFTER, resolution_of
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour, story
from tests.second_judge.conftest import TimePasses
from tests.second_judge.moto_account import BATCHED, MotoAccount
from tests.second_judge.stack import WINDOW, Stack, event_source_mapping, genuine
from tests.signing import SECOND_KEY

TITLE = "Night Train"
AN_HOUR = 3600.0
EVENTS = {
    "IN_DOUBT": "Song In Doubt",
}


@pytest.fixture
def stack(bench: Bench) -> Stack:
    return Stack(bench)


def statuses(bench: Bench) -> list[str]:
    return [detail["status"] for detail in bench.bus.details()]


def test_a_song_is_submitted_followed_to_its_end_and_published(bench: Bench, stack: Stack, request_id: str) -> None:
    bench.send(song(TITLE, request_id, metadata={"customer": "c-1"}))
    assert bench.bus.events() == []
    assert stack.submit() == []
    (made,) = bench.vendor.creates
    row = bench.row(request_id)
    assert (row["status"], row["task_id"], row["attempt"]) == ("SUBMITTED", made.task_id, "1")
    assert stack.track() == []
    row = bench.row(request_id)
    assert (row["status"], row["end_published"]) == ("SUCCEEDED", True)
    assert statuses(bench) == ["SUBMITTED", "SUCCEEDED"]
    assert (bench.receive(), bench.letters(), bench.checks.messages()) == ([], [], [])
