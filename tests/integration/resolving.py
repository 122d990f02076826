"""An operator's decisions, and what handles them as resolve_song does, without Lambda."""

from song_intake.ledger.resolving import ResolutionStore
from song_intake.outgoing.checks import SongCheck, SongChecks
from song_intake.outgoing.notifier import Notifier
from song_intake.work.resolution import Resolution
from tests.integration.bench import Bench
from tests.integration.ledger_case import Case

TASK = "task-9"
NOT_CREATED_AFTER = 135.0
BY = "arn:aws:sts::000000000000:assumed-role/on-call/ada"


def resolution_of(
    bench: Bench,
    store: ResolutionStore | None = None,
    checks: SongChecks | None = None,
    notifier: Notifier | None = None,
) -> Resolution:
    return Resolution(
        store=store or ResolutionStore(bench.ledger_table()),
        # The first check of a song is delayed. A check after an operator's decision is not.
        checks=checks or bench.song_checks(first_check=60),
        notifier=notifier or bench.notifier(),
        not_created_after=NOT_CREATED_AFTER,
    )


def task_given(case: Case, task_id: object = TASK) -> dict[str, object]:
    return {"request_id": case.request.request_id, "task_id": task_id, "by": BY}


def not_created(case: Case) -> dict[str, object]:
    return {"request_id": case.request.request_id, "not_created": True, "by": BY}


def checked(bench: Bench) -> list[str]:
    return [SongCheck.parse(record["body"]).task_id for record in bench.checks.records()]
