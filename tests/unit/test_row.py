"""How a row is read: each attribute is in its field, and one that is missing has its default."""

from typing import Any

import pytest

from song_intake.domain.recording import Keeping, Recording
from song_intake.domain.status import Status
from song_intake.domain.task import Clip
from song_intake.domain.trace import Trace
from song_intake.ledger.row import Row, doubt_for, identity_change

TEXTS = (
    "fingerprint",
    "owner",
    "message_id",
    "first_message_id",
    "task_id",
    "reason",
    "detail",
    "vendor_code",
    "resolved_by",
    "named_by",
    "tracking_hint",
    "doubt_published",
    "keeping_detail",
    "trace_id",
)
NUMBERS = ("lease_until", "doubt_until", "expires_at")
FLAGS = ("refunded", "submission_unpublished", "end_published", "keeping_ordered", "keeping_published")
LEAST: dict[str, Any] = {"request_id": {"S": "order-1"}, "status": {"S": "SUBMITTED"}}
CLIP_TEXTS = ("clip_id", "audio_url", "wav_url", "image_url", "video_url", "mv", "seed")
COPY_TEXTS = ("clip_id", "format", "bucket", "key", "sha256")


def texts(*names: str) -> dict[str, Any]:
    """Each attribute holds its own name."""
    return {name: {"S": name} for name in names}


def row(**item: Any) -> Row:
    return Row.of(LEAST | item)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_into_its_field(name: str) -> None:
    assert getattr(row(**texts(name)), name) == name
    assert getattr(row(**texts(*(other for other in TEXTS if other not in (name, "message_id")))), name) is None


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_read_into_its_field(name: str) -> None:
    assert getattr(row(**{name: {"N": "1700000000.125"}}), name) == 1_700_000_000.125
    assert getattr(row(), name) == (None if name == "expires_at" else 0.0)


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_read_into_its_field(name: str) -> None:
    for value in (True, False):
        assert getattr(row(**{name: {"BOOL": value}}), name) is value
    assert getattr(row(), name) is (None if name == "refunded" else False)


def test_a_status_code_is_a_whole_number() -> None:
    assert row().http_status is None
    status = row(http_status={"N": "403"}).http_status
    assert (status, type(status)) == (403, int)


def test_a_row_of_before_the_first_ids_has_that_of_its_message() -> None:
    assert row(**texts("message_id")).first_message_id == "message_id"
    assert row().first_message_id is None


def test_the_moment_of_a_change_is_in_seconds() -> None:
    assert row(updated_at={"S": "2026-07-01T09:30:00.500000+00:00"}).changed_at == 1_782_898_200.5
    assert row().changed_at == 0.0


def test_what_a_row_holds_several_of() -> None:
    clip, copy = texts(*CLIP_TEXTS), {**texts(*COPY_TEXTS), "bytes": {"N": "7"}}
    read = row(
        metadata={"M": {"customer": {"S": "c-1"}}},
        task_tokens={"SS": ["b", "a"]},
        clips={"L": [{"M": {**clip, "duration": {"N": "1.5"}}}, {"M": texts("clip_id")}]},
        recordings={"L": [{"M": copy}]},
        keeping={"S": "PENDING"},
    )
    assert (read.metadata, read.task_tokens, read.keeping) == ({"customer": "c-1"}, ("a", "b"), Keeping.PENDING)
    none = dict.fromkeys((*CLIP_TEXTS[1:], "duration"))
    assert read.clips == (
        Clip(**{name: name for name in CLIP_TEXTS}, duration=1.5),
        Clip(clip_id="clip_id", **none),
    )
    assert read.recordings == (Recording(**{name: name for name in COPY_TEXTS}, bytes=7),)
    empty = row()
    assert (empty.metadata, empty.task_tokens, empty.clips, empty.recordings, empty.keeping) == ({}, (), (), (), None)


def test_the_least_that_a_row_is() -> None:
    assert (row().request_id, row().status, row().trace) == ("order-1", Status.SUBMITTED, None)
    assert row(trace_id={"S": "a" * 32}).trace == Trace("a" * 32)
    for missing in LEAST:
        with pytest.raises(KeyError):
            Row.of({name: value for name, value in LEAST.items() if name != missing})


def test_a_doubt_ends_with_its_window_rounded_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("song_intake.ledger.row.time.time", lambda: 1_700_000_000.0009)
    assert doubt_for(60.5) == {":doubt": {"S": "IN_DOUBT"}, ":doubt_until": {"N": "1700000060.500"}}


def test_a_request_keeps_the_trace_that_it_has() -> None:
    assert identity_change({"owner": {"S": "o"}}) == "owner = :owner"
    changed = identity_change({"owner": {"S": "o"}, "trace_id": {"S": "t"}})
    assert changed == "owner = :owner, trace_id = if_not_exists(trace_id, :trace_id)"
