"""An operator's decisions, and what handles them as resolve_song does, without Lambda."""

from dataclasses import replace

from song_intake.app.resolve import ResolveSettings, resolve_song
from song_intake.ledger.resolving import ResolutionStore
from song_intake.outgoing.checks import SongCheck, SongChecks
from song_intake.outgoing.notifier import Notifier
from song_intake.work.resolution import Resolution
from tests.integration.bench import KEEP_DAYS, LEASE, Bench
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
    """resolve_song as the app builds it, with some parts replaced. The music API knows TASK."""
    bench.vendor.add_task(TASK)
    settings = ResolveSettings(
        music_api_origin=bench.vendor.origin,
        api_token_secret_arn=bench.secret_id,
        ledger_table=bench.table,
        keep_days=KEEP_DAYS,
        song_checks_queue_url=bench.checks.url,
        event_bus_name=bench.bus.name,
        connect_timeout=1,
        poll_deadline=1,
        first_check=60,
        lease=LEASE,
        function_timeout=NOT_CREATED_AFTER - LEASE,
        ca_bundle=None,
    )
    built = resolve_song(settings, bench.clients(), bench.telemetry)
    return replace(
        built,
        store=store or built.store,
        # The first check of a song is delayed. A check after an operator's decision is not.
        checks=checks or built.checks,
        notifier=notifier or built.notifier,
    )


def task_given(case: Case, task_id: object = TASK) -> dict[str, object]:
    return {"request_id": case.request.request_id, "task_id": task_id, "by": BY}


def not_created(case: Case) -> dict[str, object]:
    return {"request_id": case.request.request_id, "not_created": True, "by": BY}


def checked(bench: Bench) -> list[str]:
    return [SongCheck.parse(record["body"]).task_id for record in bench.checks.records()]
