"""How long a row is kept, and how long its lease lasts."""

import time

import pytest

from song_intake.domain.status import Status
from tests.integration.bench import KEEP_DAYS, Bench
from tests.integration.ledger_case import (
    CHANGES,
    Change,
    brought_to,
)


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


STEPS: dict[str, Change] = {
    "claim": lambda case: case.ledger.claim(case.request, "message-1"),
    **{name: CHANGES[name] for name in ("submitted", "retrying", "rejected", "in doubt", "abandoned", "given up")},
    "another task": lambda case: case.ledger.add_other_task(case.request.request_id, "task-2"),
}


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (None, "claim"),
        (Status.RETRYING, "claim"),
        (Status.RETRYING, "given up"),
        *((Status.SUBMITTING, step) for step in STEPS if step not in ("claim", "given up")),
    ],
)
def test_a_row_expires_days_after_its_last_change(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    start: Status | None,
    step: str,
) -> None:
    case = brought_to(bench, start)
    before = case.row
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    STEPS[step](case)
    after = case.row
    assert int(after["expires_at"]) == int(later + KEEP_DAYS * 86_400)
    assert after["updated_at"] > before.get("updated_at", "")
    assert after["created_at"] == before.get("created_at", after["updated_at"])


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
