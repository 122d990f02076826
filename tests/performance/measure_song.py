"""Counts the writes, events and log bytes of one song: ten songs run through the real parts, on the local AWS.

    python -m tests.performance.measure_song

It writes the figures into measured.json. They are counts and bytes, so they are the same on any machine.
"""

from __future__ import annotations

import io
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics

from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.batch import Batch, Work
from song_intake.work.check_work import CheckWork
from tests.conftest import TOKEN
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.following import POLL_CALL, body_of, tracking
from tests.local.cloud.cloud import Cloud
from tests.local.vendor.music_vendor import MusicVendor
from tests.performance.measured import renew

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import SqsRecord

SONGS: Final = 10
_HOUR: Final = 3600.0
_HOW: Final = f"python -m tests.performance.measure_song: a batch of {SONGS}, two clips each, metrics shared among them"

# The fields that inject_lambda_context adds to every log line.
_CONTEXT: Final = {
    "cold_start": False,
    "function_name": "song-intake-SubmitSong-0123456789ab",
    "function_memory_size": "256",
    "function_arn": "arn:aws:lambda:us-east-1:123456789012:function:song-intake-SubmitSong-0123456789ab",
    "function_request_id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
}


def measure(bench: Bench) -> dict[str, float]:
    """The figures of one song, by the names in Measured."""
    return _SongMeter(bench).figures()


class _SongMeter:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._calls = Counter[str]()
        self._dynamodb = bench.cloud.client("dynamodb")
        events = bench.cloud.client("events")
        for client in (self._dynamodb, events):
            client.meta.events.register("before-parameter-build", self._count)
        self._notifier = bench.notifier(events)
        logger = Logger(service="song-intake", stream=bench.log, location=None)
        logger.append_keys(**_CONTEXT)
        self._telemetry = Telemetry(logger, Metrics(namespace="SongIntake", service="song-intake"))

    def figures(self) -> dict[str, float]:
        running, submit = self._submitted("running", task_seconds=_HOUR)
        _, wait = self._metered(lambda: self._poll(running))
        finished, _ = self._submitted("finished", task_seconds=0)
        _, end = self._metered(lambda: self._poll(finished))
        named, _ = self._submitted("named", task_seconds=0)
        hinted, webhook = self._metered(lambda: self._webhooks(named))
        _, end_by_hint = self._metered(lambda: self._poll(hinted))
        assert not wait["writes"], "a poll of a song that is not finished writes nothing"
        return {
            **{f"submit_{name}": value for name, value in submit.items()},
            "wait_log_bytes": wait["log_bytes"],
            **{f"end_{name}": value for name, value in end.items()},
            "webhook_writes": end_by_hint["writes"] - end["writes"],
            "webhook_log_bytes": webhook["log_bytes"],
        }

    def _count(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        match model.name:
            case "BatchExecuteStatement":
                self._calls["writes"] += len(params["Statements"])
            case "UpdateItem":
                self._calls["writes"] += 1
            case "PutEvents":
                self._calls["events"] += len(params["Entries"])

    def _metered(self, work: Callable[[], Sequence[SongCheck]]) -> tuple[Sequence[SongCheck], dict[str, float]]:
        """The result of the work, and its writes, events and log bytes a song."""
        self._calls.clear()
        written = len(self._bench.log.getvalue())
        with redirect_stdout(io.StringIO()) as metrics:
            result = work()
        log_bytes = len(self._bench.log.getvalue()) - written + len(metrics.getvalue())
        counted = {"writes": self._calls["writes"], "events": self._calls["events"], "log_bytes": log_bytes}
        return result, {name: value / SONGS for name, value in counted.items()}

    def _submitted(self, stem: str, task_seconds: float) -> tuple[Sequence[SongCheck], dict[str, float]]:
        self._bench.vendor.task_seconds = task_seconds
        return self._metered(lambda: self._submit([f"order-{stem}-{number}:song-1" for number in range(SONGS)]))

    def _submit(self, request_ids: Sequence[str]) -> Sequence[SongCheck]:
        work = self._bench.request_work(self._bench.submission(dynamodb=self._dynamodb), notifier=self._notifier)
        self._handle(work, [record_of(song("Kettle in the Morning", request_id)) for request_id in request_ids])
        rows = {request_id: self._bench.row(request_id) for request_id in request_ids}
        return [SongCheck(request_id, row["task_id"], time.time()) for request_id, row in rows.items()]

    def _webhooks(self, checks: Sequence[SongCheck]) -> Sequence[SongCheck]:
        """The checks that receive_webhook sends."""
        hinted = []
        for check in checks:
            hint = self._bench.proofs.hint(uuid.uuid4().hex, check.request_id, check.task_id, is_late=False)
            hinted.append(replace(check, hint=hint))
            self._telemetry.webhook(200, check.request_id, accepted=True)
        return hinted

    def _poll(self, checks: Sequence[SongCheck]) -> Sequence[SongCheck]:
        follow = tracking(self._bench, dynamodb=self._dynamodb, notifier=self._notifier)
        dead_letters = DeadLetters(self._bench.sqs, self._bench.dead_checks.url, self._bench.proofs)
        work = CheckWork(tracking=follow, dead_letters=dead_letters, proofs=self._bench.proofs, poll_call=POLL_CALL)
        queue = self._bench.checks
        queue.records()  # those of the submissions, which are hidden from now on
        for check in checks:
            queue.send(body_of(check))
        self._handle(work, queue.records())
        return checks

    def _handle(self, work: Work, records: Sequence[SqsRecord]) -> None:
        bench = self._bench
        batch = Batch(work=work, sqs=bench.sqs, queue_url=bench.checks.url, telemetry=self._telemetry)
        batch.handle(records, plenty_of_time)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="song-cost-") as name, MusicVendor(Path(name), tokens=[TOKEN]) as vendor:
        trust = {"SSL_CERT_FILE": str(vendor.ca_bundle)}
        with Cloud(Path(name), trust) as cloud:
            figures = measure(Bench(cloud, vendor))
    renew({name: round(value) for name, value in figures.items()}, _HOW)


if __name__ == "__main__":
    main()
