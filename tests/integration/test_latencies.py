"""What the latency metrics measure, on real parts."""

import random
import time
from dataclasses import replace

import pytest

from song_intake.outgoing.checks import SongCheck
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, Bench, plenty_of_time, record_of, song
from tests.integration.following import body_of, check_batch, look_at_all, submitted, tracking
from tests.local.vendor import behaviour
from tests.local.vendor.answer import LYRICS_REFUSED

TITLE = "Night Train"
# Far more than a slow machine adds.
WAITED, MORE = 1_000.0, 500.0


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is sent anew is visible at once."""
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)


def submitted_after(bench: Bench, *records: "object") -> list[float]:
    """The seconds that submit_song reports for these records, one after the other."""
    latencies: list[float] = []
    batch = bench.batch_of(replace(bench.request_work(), on_submitted=latencies.append))
    for record in records:
        batch.handle([record], plenty_of_time)  # type: ignore[list-item]
    return latencies


def test_the_time_to_submitted_counts_from_the_message_and_once(bench: Bench, request_id: str) -> None:
    record = record_of(song(TITLE, request_id), sent_at=time.time() - WAITED)
    (seconds,) = submitted_after(bench, record, record)
    assert WAITED <= seconds < WAITED + MORE


def test_a_request_that_is_not_submitted_has_no_such_time(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(LYRICS_REFUSED), behaviour.rate_limited())
    record = record_of(song(TITLE, request_id), sent_at=time.time())
    assert submitted_after(bench, record, record_of(song(TITLE, f"{request_id}-2"))) == []


def test_the_time_to_submitted_includes_the_wait_of_a_message_that_was_sent_anew(bench: Bench, request_id: str) -> None:
    record = record_of(song(TITLE, request_id), receives=FINAL_RECEIVE, sent_at=time.time() - WAITED)
    bench.vendor.refuse_connections()
    assert submitted_after(bench, record) == []
    (anew,) = bench.wait_for_requests()
    bench.vendor.accept_connections()
    (seconds,) = submitted_after(bench, anew)
    assert WAITED <= seconds < WAITED + MORE


def published_after(bench: Bench, check: SongCheck, *, is_bus_away: bool = False) -> list[float]:
    """The seconds that track_song reports for this check."""
    latencies: list[float] = []
    notifier = bench.notifier(events=unreachable.events()) if is_bus_away else None
    by = replace(tracking(bench, notifier=notifier), on_event=latencies.append)
    bench.checks.send(body_of(check))
    look_at_all(bench, check_batch(bench, by))
    return latencies


def test_the_time_to_the_event_counts_from_the_poll_and_once(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id)
    old = replace(check, since=check.since - WAITED)
    (seconds,) = published_after(bench, old)
    assert 0 <= seconds < MORE
    assert published_after(bench, old) == []


def test_the_time_to_the_event_counts_from_the_webhook_that_caused_the_poll(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id)
    hint = bench.proofs.hint("hint-1", request_id, check.task_id, is_late=False)
    (seconds,) = published_after(bench, replace(check, since=check.since - WAITED, hint=hint))
    assert WAITED <= seconds < WAITED + MORE


def test_the_time_to_the_event_includes_an_outage_of_the_bus(bench: Bench, request_id: str) -> None:
    check = submitted(bench, request_id)
    assert published_after(bench, check, is_bus_away=True) == []
    assert bench.row(request_id)["status"] == "SUCCEEDED"
    (seconds,) = published_after(bench, check)
    assert seconds >= 0
