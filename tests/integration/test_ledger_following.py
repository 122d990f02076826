"""The ledger of tracking: what a webhook and a poll may write on a row, from every status, on a real table."""

import time
from typing import Any

import pytest

from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.domain.task import Clip, Failed, Succeeded
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from tests.integration import unreachable
from tests.integration.bench import KEEP_DAYS, Bench, new_id
from tests.integration.ledger_case import Case, brought_to

S = Status
TASK = "task-1"
SONG = Succeeded((Clip("clip-1", audio_url="https://a", duration=183.48, seed="7"), Clip("clip-2")))
NO_SONG = Failed("timeout", refunded=True)
# Those that follow a known task.
WITH_A_TASK = (S.SUBMITTED, S.SUCCEEDED, S.FAILED)


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture(scope="module")
def following(bench: Bench) -> TrackingStore:
    return TrackingStore(bench.ledger_table())


def finished(following: TrackingStore, case: Case, end: Succeeded | Failed, task_id: str = TASK) -> Written | Existing:
    return following.record_end(case.request.request_id, task_id, end, Reason.FAILED_BY_VENDOR)


@pytest.mark.parametrize("start", [status for status in Status if status not in WITH_A_TASK])
def test_a_hint_records_its_task_from_any_status_that_names_none(
    bench: Bench, following: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    row = following.record_webhook_task(case.request.request_id, TASK).row
    assert row is not None
    assert (row.status, row.task_id, row.fingerprint) == (S.SUBMITTED, TASK, case.request.fingerprint)
    left = {"reason", "detail", "http_status", "vendor_code", "lease_until", "doubt", "doubt_until"}
    assert not left & case.row.keys()


@pytest.mark.parametrize("start", WITH_A_TASK)
def test_a_hint_that_the_row_knows_changes_nothing(bench: Bench, following: TrackingStore, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.item
    for _ in range(2):
        row = following.record_webhook_task(case.request.request_id, TASK).row
        assert row is not None
        assert row.status is start
    assert case.item == before


@pytest.mark.parametrize("start", WITH_A_TASK)
def test_a_hint_of_another_task_keeps_it_beside_the_first(
    bench: Bench, following: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    for _ in range(2):
        row = following.record_webhook_task(case.request.request_id, "task-2").row
        assert row is not None
        assert row.task_id == TASK
    assert (case.row["status"], case.row["task_id"], case.row["other_task_ids"]) == (start, TASK, ["task-2"])


@pytest.mark.parametrize("start", Status)
def test_a_late_hint_records_its_task_only_where_the_outcome_is_unknown(
    bench: Bench, following: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    result = following.record_late_webhook_task(case.request.request_id, "task-2")
    if start in (S.IN_DOUBT, S.SUBMITTING):
        assert isinstance(result, Written)
        assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-2")
        assert {"doubt", "lease_until", "reason"}.isdisjoint(case.row)
    else:
        assert (result, case.item) == (Existing(case.stands()), before)


def test_a_hint_of_nobodys_request_makes_no_row(bench: Bench, following: TrackingStore) -> None:
    assert following.record_webhook_task("nobodys", TASK) == Existing(None)
    assert following.record_late_webhook_task("nobodys", TASK) == Existing(None)
    assert bench.item("nobodys") == {}


def test_what_the_create_answers_after_the_hint_finds_its_task_there(bench: Bench, following: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTING)
    following.record_webhook_task(case.request.request_id, TASK)
    standing = case.ledger.record_task(case.request, TASK).row
    assert standing is not None
    assert (standing.status, standing.task_id) == (S.SUBMITTED, TASK)


def test_a_song_is_kept_with_what_is_known_of_its_clips(bench: Bench, following: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTED)
    result = finished(following, case, SONG)
    assert isinstance(result, Written)
    assert result.row is not None
    assert (result.row.status, result.row.end_published) == (S.SUCCEEDED, False)
    assert case.row["clips"] == [
        {
            "M": {
                "clip_id": {"S": "clip-1"},
                "audio_url": {"S": "https://a"},
                "duration": {"N": "183.48"},
                "seed": {"S": "7"},
            }
        },
        {"M": {"clip_id": {"S": "clip-2"}}},
    ]
    assert "reason" not in case.row


@pytest.mark.parametrize(
    ("end", "known"),
    [
        (NO_SONG, {"vendor_code": "timeout", "refunded": True}),
        (Failed("failed", refunded=False), {"vendor_code": "failed", "refunded": False}),
        (Failed(None, None), {}),
    ],
)
def test_a_failure_is_kept_with_what_is_known_of_it(
    bench: Bench, following: TrackingStore, end: Failed, known: dict[str, Any]
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(following, case, end)
    row = case.row
    assert (row["status"], row["reason"]) == ("FAILED", "FAILED_BY_VENDOR")
    assert {name: row[name] for name in ("vendor_code", "refunded") if name in row} == known


@pytest.mark.parametrize(
    ("end", "start"),
    [
        *((SONG, status) for status in Status if status not in (S.SUBMITTED, S.FAILED)),
        *((NO_SONG, status) for status in Status if status is not S.SUBMITTED),
    ],
)
def test_an_end_is_written_on_a_submitted_row_alone_and_a_success_on_a_failed_one(
    bench: Bench, following: TrackingStore, end: Succeeded | Failed, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    assert finished(following, case, end) == Existing(case.stands())
    assert case.item == before


@pytest.mark.parametrize("end", [SONG, NO_SONG], ids=["a song", "no song"])
def test_an_end_of_another_task_is_not_the_rows(
    bench: Bench, following: TrackingStore, end: Succeeded | Failed
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    before = case.item
    assert finished(following, case, end, "task-2") == Existing(case.stands())
    assert case.item == before


@pytest.mark.parametrize(("first", "then"), [(SONG, NO_SONG), (SONG, SONG), (NO_SONG, NO_SONG)])
def test_no_other_end_replaces_a_success_or_repeats(
    bench: Bench, following: TrackingStore, first: Succeeded | Failed, then: Succeeded | Failed
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(following, case, first)
    before = case.item
    assert isinstance(finished(following, case, then), Existing)
    assert case.item == before


def test_a_success_replaces_a_failure_with_all_that_was_known_of_it_and_is_not_published_yet(
    bench: Bench, following: TrackingStore
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(following, case, NO_SONG)
    following.mark_end_published(case.request.request_id, S.FAILED)
    assert isinstance(finished(following, case, SONG), Written)
    assert (case.stands().status, case.stands().end_published, len(case.stands().clips)) == (S.SUCCEEDED, False, 2)
    assert not {"reason", "detail", "vendor_code", "refunded"} & case.row.keys()


def test_a_failure_that_was_published_late_does_not_mark_the_success_that_replaced_it(
    bench: Bench, following: TrackingStore
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(following, case, NO_SONG)
    finished(following, case, SONG)
    following.mark_end_published(case.request.request_id, S.FAILED)
    assert case.stands().end_published is False


def test_an_end_of_nobodys_request_makes_no_row(bench: Bench, following: TrackingStore) -> None:
    assert following.record_end("nobodys", TASK, SONG, Reason.FAILED_BY_VENDOR) == Existing(None)
    following.mark_end_published("nobodys", S.SUCCEEDED)
    assert bench.item("nobodys") == {}


def test_an_end_that_was_told_is_marked(bench: Bench, following: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(following, case, SONG)
    following.mark_end_published(case.request.request_id, S.SUCCEEDED)
    assert (case.stands().end_published, case.stands().status) == (True, S.SUCCEEDED)


@pytest.mark.parametrize("start", Status)
def test_only_a_submitted_row_is_marked_as_given_up_and_it_can_still_end(
    bench: Bench, following: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    result = following.record_tracking_stopped(case.request.request_id, TASK, Reason.NEVER_FINISHED, "too long")
    if start is not S.SUBMITTED:
        assert (result, case.item) == (Existing(case.stands()), before)
        return
    assert (case.row["status"], case.row["reason"], case.row["detail"]) == ("SUBMITTED", "NEVER_FINISHED", "too long")
    assert isinstance(finished(following, case, SONG), Written)
    assert not {"reason", "detail"} & case.row.keys()


def test_a_row_is_kept_for_days_from_its_end(
    bench: Bench, following: TrackingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    created_at = case.row["created_at"]
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    finished(following, case, SONG)
    assert int(case.row["expires_at"]) == int(later + KEEP_DAYS * 86_400)
    assert case.row["created_at"] == created_at
    assert case.stands().changed_at == pytest.approx(later, abs=0.002)


def test_a_table_that_does_not_answer_is_told_without_the_values(bench: Bench) -> None:
    following = TrackingStore(bench.ledger_table(unreachable.dynamodb()))
    for write in (
        lambda: following.record_webhook_task("r", TASK),
        lambda: following.record_end("r", TASK, SONG, Reason.FAILED_BY_VENDOR),
        lambda: following.record_late_webhook_task("r", TASK),
        lambda: following.mark_end_published(new_id("r"), S.FAILED),
        lambda: following.record_tracking_stopped("r", TASK, Reason.NEVER_FINISHED, "too long"),
    ):
        with pytest.raises(LedgerUnavailable, match=r"^EndpointConnectionError$"):
            write()
