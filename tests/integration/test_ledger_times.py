"""How long a row is kept, and how long its lease lasts."""

import time

import pytest

from song_intake.domain.status import Status
from tests.integration.bench import KEEP_DAYS, Bench
from tests.integration.ledger_case import CHANGES, Change, brought_to

DAY = 86_400


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


STEPS: dict[str, Change] = {
    "claim": lambda case: case.ledger.claim(case.request, "message-1"),
    **{name: CHANGES[name] for name in ("submitted", "retrying", "rejected", "in doubt", "abandoned", "given up")},
}
# A song may exist that the row does not name.
NEVER_EXPIRING = frozenset(("claim", "in doubt", "abandoned"))


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (None, "claim"),
        (Status.RETRYING, "claim"),
        (Status.RETRYING, "given up"),
        *((Status.SUBMITTING, step) for step in STEPS if step not in ("claim", "given up")),
    ],
)
def test_a_row_expires_days_after_its_last_change_unless_a_song_may_exist_that_it_does_not_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, start: Status | None, step: str
) -> None:
    case = brought_to(bench, start)
    before = case.row
    later = time.time() + DAY
    monkeypatch.setattr(time, "time", lambda: later)
    STEPS[step](case)
    after = case.row
    if step in NEVER_EXPIRING:
        assert "expires_at" not in after
    else:
        assert int(after["expires_at"]) == int(later + KEEP_DAYS * DAY)
    assert after["updated_at"] > before.get("updated_at", "")
    assert after["created_at"] == before.get("created_at", after["updated_at"])


@pytest.mark.parametrize("start", [Status.SUBMITTED, Status.IN_DOUBT])
def test_a_second_task_changes_no_times(bench: Bench, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.row
    case.ledger.table.add_other_task(case.request.request_id, "task-2")
    assert case.row == {**before, "other_task_ids": ["task-2"]}


@pytest.mark.parametrize(("days", "is_renewed"), [(0.9, False), (1.1, True)])
@pytest.mark.parametrize("start", [Status.REJECTED, Status.SUBMITTED])
def test_a_row_that_a_message_meets_is_renewed_once_a_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, start: Status, days: float, *, is_renewed: bool
) -> None:
    case = brought_to(bench, start)
    before = case.row
    later = time.time() + days * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    case.ledger.table.renew(case.stored_row())
    expires_at = str(int(later + KEEP_DAYS * DAY)) if is_renewed else before["expires_at"]
    assert case.row == {**before, "expires_at": expires_at}


@pytest.mark.parametrize("start", [None, Status.SUBMITTING, Status.IN_DOUBT])
def test_keeping_creates_no_row_and_lets_none_expire(bench: Bench, start: Status | None) -> None:
    case = brought_to(bench, start)
    before = case.item
    case.ledger.table.keep(case.request.request_id)
    if start is not None:
        case.ledger.table.renew(case.stored_row())
    assert case.item == before


def test_a_lease_is_over_only_after_its_time_and_only_while_submitting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, settled = brought_to(bench, Status.SUBMITTING).stored_row(), brought_to(bench, Status.IN_DOUBT).stored_row()
    for when, over in (
        (claim.lease_until - 0.001, False),
        (claim.lease_until, False),
        (claim.lease_until + 0.001, True),
    ):
        monkeypatch.setattr(time, "time", lambda when=when: when)
        assert (claim.lease_is_over(), settled.lease_is_over()) == (over, False)
