"""Every transition of the ledger on moto, and a refused one of each change."""

import pytest

from song_intake.aws.clients import AwsClients
from song_intake.domain.status import Status
from tests.integration.bench import Bench
from tests.integration.ledger_case import CHANGES
from tests.integration.test_ledger_transitions import ALLOWED
from tests.integration.test_ledger_transitions import (
    test_a_change_leads_to_the_designed_status_or_changes_nothing as check_change,
)
from tests.local.vendor.music_vendor import MusicVendor
from tests.second_judge.moto_account import MotoAccount

TRANSITIONS: list[tuple[str, Status | None]] = [(change, start) for change, goals in ALLOWED.items() for start in goals]
# No change leads on from SUCCEEDED.
REFUSED: list[tuple[str, Status | None]] = [(change, Status.SUCCEEDED) for change in CHANGES]


@pytest.fixture(scope="module")
def bench(moto: MotoAccount, shipped: AwsClients, music_vendor: MusicVendor) -> Bench:
    return Bench(moto, music_vendor, functions=shipped)


@pytest.mark.parametrize(("change", "start"), TRANSITIONS + REFUSED)
def test_a_change_leads_to_the_designed_status_or_changes_nothing(
    bench: Bench, change: str, start: Status | None
) -> None:
    check_change(bench, start, change)
