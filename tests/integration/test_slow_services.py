"""The settle margin holds with slow AWS services: each outcome is recorded, or its dead letter sent, within it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from song_intake.app.submit import SubmitSettings, submit_song
from song_intake.aws.attempts import ATTEMPTS, CALLS_IN_A_ROW, attempt_seconds
from song_intake.aws.clients import AwsClients
from song_intake.domain.reason import Reason
from song_intake.work.request_work import RequestWork
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.slow_services import Plan, SlowServices, slow_services
from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION
from tests.local.cloud.cloud import Cloud
from tests.template.transformed import parameter_defaults

pytestmark = pytest.mark.slow

BATCHED, SINGLE, LETTER = "BatchExecuteStatement", "UpdateItem", "SendMessage"
OK, REFUSED, OUTAGE = 200, 400, 500
# The share of an attempt's time-out after which an answer is sent. A busy machine needs some of the rest.
ALMOST = 0.8


@pytest.fixture
def services(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowServices]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ADMINISTRATOR)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ADMINISTRATOR)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with slow_services(cloud) as services:
        monkeypatch.setenv("AWS_ENDPOINT_URL", services.origin)
        yield services


@pytest.fixture
def settings(bench: Bench) -> SubmitSettings:
    margin = float(parameter_defaults()["SettleMarginSeconds"])
    return replace(bench.submit_settings(), settle_margin=margin)


def test_the_task_is_recorded_within_the_margin_when_the_batched_write_is_refused(
    bench: Bench, services: SlowServices, settings: SubmitSettings, request_id: str
) -> None:
    slow = _slowly(settings)
    plans = {BATCHED: slow(OUTAGE, REFUSED), SINGLE: slow(OUTAGE, OK)}
    seconds = _seconds_to_settle(bench, services, settings, request_id, plans)
    (created,) = bench.vendor.creates
    row = bench.row(request_id)
    assert (row["status"], row["task_id"]) == ("SUBMITTED", created.task_id)
    assert services.statuses_of(SINGLE) == [OUTAGE, OK]
    assert seconds < settings.aws_seconds


def test_the_dead_letter_is_sent_within_the_margin_when_no_write_succeeds(
    bench: Bench, services: SlowServices, settings: SubmitSettings, request_id: str
) -> None:
    slow = _slowly(settings)
    plans = {BATCHED: slow(OUTAGE, REFUSED), SINGLE: slow(OUTAGE, OUTAGE), LETTER: slow(OUTAGE, OK)}
    seconds = _seconds_to_settle(bench, services, settings, request_id, plans)
    (created,) = bench.vendor.creates
    (letter,) = bench.letters()
    assert (letter.attributes["reason"], letter.attributes["task_id"]) == (Reason.TASK_NOT_RECORDED, created.task_id)
    # The longest way: every attempt of every call was made, and each lasted most of its time-out.
    assert sum(len(services.statuses_of(operation)) for operation in plans) == CALLS_IN_A_ROW * ATTEMPTS
    assert 0.65 * settings.aws_seconds < seconds < settings.aws_seconds


def _slowly(settings: SubmitSettings) -> Callable[..., Plan]:
    """A plan of these statuses, each sent when the time-out of its attempt is mostly over."""
    return lambda *statuses: Plan(ALMOST * attempt_seconds(settings.aws_seconds), statuses)


def _seconds_to_settle(
    bench: Bench, services: SlowServices, settings: SubmitSettings, request_id: str, plans: Mapping[str, Plan]
) -> float:
    """Create one song, with services that are slow from its outcome on.

    Returns the seconds from the outcome to the end of the last planned call.
    """
    batch = submit_song(settings, AwsClients(bench.tls, settings.aws_seconds, settings.batch_size), bench.telemetry)
    assert isinstance(batch.work, RequestWork)
    created: list[float] = []

    def on_created(*_: object) -> None:
        services.slow_down(plans)
        created.append(time.monotonic())

    submission = replace(batch.work.submission, on_created=on_created)
    batch = replace(batch, work=replace(batch.work, submission=submission))
    response = batch.handle([record_of(song("Night Train", request_id))], plenty_of_time)
    assert response == {"batchItemFailures": []}
    return max(attempt.ended for attempt in services.attempts if attempt.operation in plans) - created[0]
