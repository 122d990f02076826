"""A stack without a budget pays nothing for it: its modules are not imported, and nothing is counted."""

import subprocess
import sys
from typing import Any, cast

from song_intake.app.submit import submit_song
from song_intake.work.request_work import RequestWork
from tests.properties.simulation.clients import SimulatedClients, submit_settings
from tests.properties.simulation.silence import SILENT

OF_THE_BUDGET = {
    "song_intake.admission.budget_item",
    "song_intake.admission.daily_budget",
    "song_intake.app.budget",
    "song_intake.outgoing.budget_report",
    "song_intake.work.budget_gate",
}


def test_without_a_budget_its_modules_are_not_imported() -> None:
    program = "import sys, song_intake.app.submit; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "song_intake.work.submission" in printed
    assert OF_THE_BUDGET.isdisjoint(printed)


def test_one_limit_is_enough_for_a_budget() -> None:
    def has_budget(**limits: int) -> bool:
        clients = SimulatedClients(dynamodb=object(), sqs=object())
        work = submit_song(submit_settings(**limits), clients, SILENT, cast("Any", object())).work
        assert isinstance(work, RequestWork)
        return work.submission.budget is not None

    assert not has_budget()
    assert has_budget(creates_per_day=1)
    assert has_budget(creates_per_day_and_sender=1)
