"""Every transition of the ledger, and every refused one, on a real table of the local DynamoDB."""

import pytest

from song_intake.domain.status import Status
from song_intake.ledger.claim import Claim
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from tests.integration.bench import Bench
from tests.integration.ledger_case import CHANGES, brought_to


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


S = Status
TO_SUBMITTED = dict.fromkeys((None, S.SUBMITTING, S.RETRYING, S.REJECTED, S.IN_DOUBT), S.SUBMITTED)

# The next status by change and status. A change that is not listed is refused and leaves the row unchanged.
ALLOWED: dict[str, dict[Status | None, Status]] = {
    "claim by the same message": {None: S.SUBMITTING, S.RETRYING: S.SUBMITTING},
    "claim by another message": {None: S.SUBMITTING, S.RETRYING: S.SUBMITTING, S.REJECTED: S.SUBMITTING},
    "claim of another song by the same message": {None: S.SUBMITTING},
    "claim of another song by another message": {None: S.SUBMITTING, S.REJECTED: S.SUBMITTING},
    "submitted": TO_SUBMITTED,
    "submitted, of another song": {None: S.SUBMITTED},
    "submitted, under its claim": TO_SUBMITTED,
    "submitted, under a stale claim": TO_SUBMITTED,
    "retrying": {S.SUBMITTING: S.RETRYING, S.IN_DOUBT: S.RETRYING},
    "rejected": {S.SUBMITTING: S.REJECTED, S.IN_DOUBT: S.REJECTED},
    "in doubt": {S.SUBMITTING: S.IN_DOUBT, S.IN_DOUBT: S.IN_DOUBT},
    "abandoned": {S.SUBMITTING: S.IN_DOUBT},
    "given up": {None: S.REJECTED, S.RETRYING: S.REJECTED},
    "given up, of another song": {None: S.REJECTED},
}

# These changes need a claimed row and raise without one.
NEED_A_ROW = {name for name in CHANGES if name.startswith(("retrying", "rejected", "in doubt"))}

# A repeat of the attempt's own write counts as written, although it changes nothing.
SEEN_AS_DONE = {("retrying", S.RETRYING), ("rejected", S.REJECTED)}


@pytest.mark.parametrize("start", [None, *Status])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leads_to_the_designed_status_or_changes_nothing(
    bench: Bench, start: Status | None, change: str
) -> None:
    case = brought_to(bench, start)
    before = case.item
    if start is None and (change in NEED_A_ROW or change == "abandoned"):
        with pytest.raises((LedgerUnavailable, KeyError)):
            CHANGES[change](case)
        assert case.item == {}
        return
    result = CHANGES[change](case)
    goal = ALLOWED.get(change, {}).get(start)
    if goal is not None:
        assert isinstance(result, Claim | Written)
        assert case.row["status"] == goal
        assert ("lease_until" in case.row) == (goal is S.SUBMITTING), "only a claim has a lease"
        return
    assert case.item == before
    if (change, start) in SEEN_AS_DONE:
        assert isinstance(result, Written)
    else:
        assert result == Existing(case.stored_row()), "a refused change returns the row"
