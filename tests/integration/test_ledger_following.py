"""The tracking store: what a webhook and a poll may write on a row, in every status, on a real table."""

import time
from dataclasses import replace
from typing import Any

import pytest

from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.domain.task import Clip, Failed, Succeeded
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.notified import Notified
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from tests.integration import unreachable
from tests.integration.bench import KEEP_DAYS, Bench
from tests.integration.ledger_case import Case, brought_to

S = Status
TASK = "task-1"
HINT = "hint-1"
PUBLISHED = Notified(end=True)
SONG = Succeeded((Clip("clip-1", audio_url="https://a", duration=183.48, seed="7"), Clip("clip-2")))
NO_SONG = Failed("timeout", refunded=True)
# The statuses that have a task.
WITH_A_TASK = (S.SUBMITTED, S.SUCCEEDED, S.FAILED)


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture(scope="module")
def store(bench: Bench) -> TrackingStore:
    return TrackingStore(bench.ledger_table())


def finished(store: TrackingStore, case: Case, end: Succeeded | Failed, task_id: str = TASK) -> Written | Existing:
    return store.record_end(case.request.request_id, task_id, end, Reason.FAILED_BY_VENDOR)


@pytest.mark.parametrize("start", [status for status in Status if status not in WITH_A_TASK])
def test_a_webhook_records_its_task_in_any_status_without_one(
    bench: Bench, store: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    row = store.record_webhook_task(case.request.request_id, TASK, HINT).row
    assert row is not None
    assert (row.status, row.task_id, row.fingerprint) == (S.SUBMITTED, TASK, case.request.fingerprint)
    left = {"reason", "detail", "http_status", "vendor_code", "lease_until", "doubt", "doubt_until"}
    assert not left & case.row.keys()


@pytest.mark.parametrize("start", WITH_A_TASK)
def test_a_webhook_with_the_rows_own_task_changes_nothing(bench: Bench, store: TrackingStore, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.item
    for _ in range(2):
        row = store.record_webhook_task(case.request.request_id, TASK, HINT).row
        assert row is not None
        assert row.status is start
    assert case.item == before


@pytest.mark.parametrize("start", WITH_A_TASK)
def test_a_webhook_with_another_task_keeps_it_beside_the_first(
    bench: Bench, store: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    for _ in range(2):
        row = store.record_webhook_task(case.request.request_id, "task-2", HINT).row
        assert row is not None
        assert row.task_id == TASK
    assert (case.row["status"], case.row["task_id"], case.row["other_task_ids"]) == (start, TASK, ["task-2"])


@pytest.mark.parametrize("start", Status)
def test_a_late_webhook_records_its_task_only_where_the_outcome_is_unknown(
    bench: Bench, store: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    result = store.record_late_webhook_task(case.request.request_id, "task-2", HINT)
    if start in (S.IN_DOUBT, S.SUBMITTING):
        assert isinstance(result, Written)
        assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-2")
        assert {"doubt", "lease_until", "reason"}.isdisjoint(case.row)
    else:
        assert (result, case.item) == (Existing(case.stored_row()), before)


def test_a_webhook_of_an_unknown_request_creates_no_row(bench: Bench, store: TrackingStore) -> None:
    assert store.record_webhook_task("no-such-request", TASK, HINT) == Existing(None)
    assert store.record_late_webhook_task("no-such-request", TASK, HINT) == Existing(None)
    assert bench.item("no-such-request") == {}


@pytest.mark.parametrize("start", Status)
def test_only_a_submitted_song_that_was_given_up_is_resumed(bench: Bench, store: TrackingStore, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.item
    row = replace(case.stored_row(), task_id=TASK)
    assert store.record_tracking_resumed(row, HINT) == Existing(case.stored_row())
    assert case.item == before
    if start is S.SUBMITTED:
        store.record_tracking_stopped(row.request_id, TASK, Reason.NEVER_FINISHED, "too long")
        assert isinstance(store.record_tracking_resumed(row, HINT), Written)
        assert (case.row["status"], case.row["tracking_hint"]) == ("SUBMITTED", HINT)
        assert isinstance(store.record_tracking_resumed(row, "hint-2"), Existing)
        assert case.row["tracking_hint"] == HINT


def test_a_create_response_after_the_webhook_finds_its_task_recorded(bench: Bench, store: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTING)
    store.record_webhook_task(case.request.request_id, TASK, HINT)
    existing = case.ledger.record_task(case.request, TASK).row
    assert existing is not None
    assert (existing.status, existing.task_id) == (S.SUBMITTED, TASK)


def test_a_song_is_stored_with_the_known_fields_of_its_clips(bench: Bench, store: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTED)
    result = finished(store, case, SONG)
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
def test_a_failure_is_stored_with_its_known_fields(
    bench: Bench, store: TrackingStore, end: Failed, known: dict[str, Any]
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(store, case, end)
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
def test_an_end_is_written_only_on_a_submitted_row_and_a_success_also_on_a_failed_one(
    bench: Bench, store: TrackingStore, end: Succeeded | Failed, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    assert finished(store, case, end) == Existing(case.stored_row())
    assert case.item == before


@pytest.mark.parametrize("end", [SONG, NO_SONG], ids=["a song", "no song"])
def test_the_end_of_another_task_does_not_change_the_row(
    bench: Bench, store: TrackingStore, end: Succeeded | Failed
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    before = case.item
    assert finished(store, case, end, "task-2") == Existing(case.stored_row())
    assert case.item == before


@pytest.mark.parametrize(("first", "then"), [(SONG, NO_SONG), (SONG, SONG), (NO_SONG, NO_SONG)])
def test_no_other_end_replaces_a_success_or_repeats(
    bench: Bench, store: TrackingStore, first: Succeeded | Failed, then: Succeeded | Failed
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(store, case, first)
    before = case.item
    assert isinstance(finished(store, case, then), Existing)
    assert case.item == before


def test_a_success_replaces_a_failure_with_all_that_was_known_of_it_and_is_not_published_yet(
    bench: Bench, store: TrackingStore
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(store, case, NO_SONG)
    store.mark_notified(case.stored_row(), PUBLISHED)
    assert isinstance(finished(store, case, SONG), Written)
    assert (case.stored_row().status, case.stored_row().end_published, len(case.stored_row().clips)) == (
        S.SUCCEEDED,
        False,
        2,
    )
    assert not {"reason", "detail", "vendor_code", "refunded"} & case.row.keys()


def test_a_failure_that_was_published_late_does_not_mark_the_success_that_replaced_it(
    bench: Bench, store: TrackingStore
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(store, case, NO_SONG)
    failed = case.stored_row()
    finished(store, case, SONG)
    store.mark_notified(failed, PUBLISHED)
    assert case.stored_row().end_published is False


def test_the_end_of_an_unknown_request_creates_no_row(bench: Bench, store: TrackingStore) -> None:
    assert store.record_end("no-such-request", TASK, SONG, Reason.FAILED_BY_VENDOR) == Existing(None)
    store.mark_notified(replace(brought_to(bench, S.SUCCEEDED).stored_row(), request_id="no-such-request"), PUBLISHED)
    assert bench.item("no-such-request") == {}


def test_a_published_end_is_marked(bench: Bench, store: TrackingStore) -> None:
    case = brought_to(bench, S.SUBMITTED)
    finished(store, case, SONG)
    store.mark_notified(case.stored_row(), PUBLISHED)
    assert (case.stored_row().end_published, case.stored_row().status) == (True, S.SUCCEEDED)


@pytest.mark.parametrize("start", Status)
def test_only_a_submitted_row_is_marked_as_given_up_and_it_can_still_end(
    bench: Bench, store: TrackingStore, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    result = store.record_tracking_stopped(case.request.request_id, TASK, Reason.NEVER_FINISHED, "too long")
    if start is not S.SUBMITTED:
        assert (result, case.item) == (Existing(case.stored_row()), before)
        return
    assert (case.row["status"], case.row["reason"], case.row["detail"]) == ("SUBMITTED", "NEVER_FINISHED", "too long")
    assert isinstance(finished(store, case, SONG), Written)
    assert not {"reason", "detail"} & case.row.keys()


def test_a_row_expires_days_after_its_end(bench: Bench, store: TrackingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    case = brought_to(bench, S.SUBMITTED)
    created_at = case.row["created_at"]
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    finished(store, case, SONG)
    assert int(case.row["expires_at"]) == int(later + KEEP_DAYS * 86_400)
    assert case.row["created_at"] == created_at
    assert case.stored_row().changed_at == pytest.approx(later, abs=0.002)


def test_an_unavailable_table_is_reported_without_the_values(bench: Bench) -> None:
    row = brought_to(bench, S.FAILED).stored_row()
    store = TrackingStore(bench.ledger_table(unreachable.dynamodb()))
    for write in (
        lambda: store.record_webhook_task("r", TASK, HINT),
        lambda: store.record_end("r", TASK, SONG, Reason.FAILED_BY_VENDOR),
        lambda: store.record_late_webhook_task("r", TASK, HINT),
        lambda: store.record_tracking_resumed(row, HINT),
        lambda: store.mark_notified(row, PUBLISHED),
        lambda: store.mark_doubt_published(row, Reason.TASK_UNKNOWN),
        lambda: store.record_tracking_stopped("r", TASK, Reason.NEVER_FINISHED, "too long"),
    ):
        with pytest.raises(LedgerUnavailable, match=r"^EndpointConnectionError$"):
            write()
