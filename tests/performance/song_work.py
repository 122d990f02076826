"""What one song takes in each design, in billed units: submitting it, and following it to its end and telling it.

Every design gets the same job. Submitting is: take the request, claim it, create, record the task_id. Following is:
look until the song is finished, record its end with the clips, and tell both moments by an event. Where a design cannot
do a part, it is not charged for it, and the table says so. Rivals are charged for nothing that they could do without,
and look at the same times as this stack without its webhook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from song_intake.work.tracking import _GROWTH as GROWTH
from tests.performance.measured import Measured
from tests.performance.prices import Unit

Work = Mapping[Unit, float]
"""Billed units of one song."""

MEMORY_GB: Final = 256 / 1024
# At 1,769 MB a function has one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE_OF_A_CORE: Final = 256 / 1769
# START, END and REPORT, and 26 bytes a line that CloudWatch Logs counts.
PLATFORM_LOG_BYTES: Final = 400

CREATE_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.3
AWS_CALL_SECONDS: Final = 0.01
SHORTEST_SONG, LONGEST_SONG = 20, 80  # seconds from a song's create to its end, all as likely
FIRST_CHECK_SECONDS: Final = 15.0
CHECK_CAP_SECONDS: Final = 300.0
# A row with two clips and their URLs is over 1 KB and under 2.
UNITS_OF_AN_END: Final = 2

FULL_BATCH: Final = 10
CREATES_PER_MINUTE: Final = 20
PACED_BATCH: Final = 6  # of the template, at this pace
PACED_WORKERS: Final = 2

EXPRESS_GB: Final = 64 / 1024


@dataclass(frozen=True, slots=True)
class Design:
    name: str
    submitting: Work
    following: Work | None
    """None where it does not follow."""
    remark: str


def designs(of: Measured) -> tuple[Design, ...]:
    return (
        Design(
            "**this stack**, batches of 10, no pace",
            submitted(of, FULL_BATCH, CREATE_SECONDS),
            followed(of, FULL_BATCH),
            "needs a vendor that takes any pace",
        ),
        Design(
            "**this stack**, the same, `Webhook` `off`",
            submitted(of, FULL_BATCH, CREATE_SECONDS),
            followed(of, FULL_BATCH, webhook=False),
            "whoever is in doubt waits for an operator",
        ),
        Design(
            f"**this stack**, {CREATES_PER_MINUTE} creates a minute",
            _plus(
                submitted(of, PACED_BATCH, PACED_WORKERS * PACED_BATCH * 60 / CREATES_PER_MINUTE),
                {Unit.DYNAMODB_WRITES: 1 / PACED_BATCH},
            ),
            followed(of, 1),
            "a batch waits for its slots inside its function, 6 s a song while the queue is full",
        ),
        Design(
            "**this stack**, one request at a time",
            submitted(of, 1, CREATE_SECONDS),
            followed(of, 1),
            "nothing to share an invocation or a call with",
        ),
        Design(
            "one after another: SQS, Lambda, `BatchProcessor`",
            one_after_another(of),
            followed_one_after_another(of),
            "after a lost answer it pays again, or gives the song up and nobody knows",
        ),
        Design(
            "Step Functions Standard, HTTP Task",
            {Unit.TRANSITIONS: 2, Unit.DYNAMODB_WRITES: 1},
            standard_followed(),
            "a lost answer is an error like any other, and its retry pays again; no queue in front of the vendor",
        ),
        Design(
            "Step Functions Express, HTTP Task",
            {Unit.EXPRESS_REQUESTS: 1, Unit.EXPRESS_GB_SECONDS: EXPRESS_GB * CREATE_SECONDS, Unit.DYNAMODB_WRITES: 2},
            express_followed(),
            "the same; an execution may run twice, and for 5 minutes at most",
        ),
        Design(
            "Pipes, API destination",
            {Unit.SQS_REQUESTS: 3, Unit.PIPES: 1, Unit.API_DESTINATIONS: 1},
            None,
            "drops the answer, and the `task_id` with it; sends again what failed, and pays again; no record",
        ),
    )


def submitted(of: Measured, batch: int, waits: float) -> Work:
    """waits: seconds for which a batch waits for the music API, and for its slots."""
    return _plus(
        _lambda(batch, waits + 2 * AWS_CALL_SECONDS, of.submit_cpu_ms),
        _from_a_queue(batch),
        {Unit.DYNAMODB_WRITES: of.submit_writes, Unit.LOG_BYTES: of.submit_log_bytes},
    )


def followed(of: Measured, batch: int, *, webhook: bool = True) -> Work:
    """The event and the check of the submission, its looks, and the end.

    A webhook brings a check of its own along, whose look finds the end first; the other's last look is refused a write,
    and billed for it.
    """
    waiting = waiting_looks()
    checks = 2 if webhook else 1
    return _plus(
        {Unit.EVENTS: of.submit_events + of.end_events},
        # Each is sent, and deleted at its end; the webhook sends its own.
        {Unit.SQS_REQUESTS: 1 + checks / batch},
        _times(waiting + checks, _look(of, batch)),
        # To wait longer, a check is hidden; those of a batch in one call.
        {Unit.LOG_BYTES: waiting * of.wait_log_bytes, Unit.SQS_REQUESTS: waiting / batch},
        {Unit.LOG_BYTES: checks * of.end_log_bytes},
        {Unit.DYNAMODB_WRITES: (of.end_writes + checks - 1) * UNITS_OF_AN_END},
        _webhook(of) if webhook else {},
    )


def one_after_another(of: Measured) -> Work:
    waits = FULL_BATCH * (CREATE_SECONDS + 2 * AWS_CALL_SECONDS)
    return _plus(
        _lambda(FULL_BATCH, waits, of.one_by_one_cpu_ms),
        _from_a_queue(FULL_BATCH),
        {Unit.DYNAMODB_WRITES: 2, Unit.LOG_BYTES: of.submit_log_bytes},
    )


def followed_one_after_another(of: Measured) -> Work:
    """The same delayed checks, polled one after another; no webhook."""
    looks = waiting_looks() + 1
    waits = FULL_BATCH * (POLL_SECONDS + AWS_CALL_SECONDS)
    return _plus(
        {Unit.SQS_REQUESTS: 1 + 1 / FULL_BATCH, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END},
        _times(looks, _lambda(FULL_BATCH, waits, of.one_by_one_cpu_ms)),
        _times(looks, {Unit.SQS_REQUESTS: 2 / FULL_BATCH, Unit.LOG_BYTES: of.wait_log_bytes}),
    )


def standard_followed() -> Work:
    """Wait, HTTP Task and Choice for each look; a state for each event, and one that records the end."""
    looks = waiting_looks() + 1
    return {Unit.TRANSITIONS: 3 * looks + 3, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END}


def express_followed() -> Work:
    """The same states cost nothing there; the time does, to the look that finds the song finished."""
    seconds = fmean(look_times(song)[-1] for song in _songs())
    return {Unit.EXPRESS_GB_SECONDS: EXPRESS_GB * seconds, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END}


def look_times(song_seconds: float) -> list[float]:
    """When a check looks, in seconds after the create, to the first time that the song is finished."""
    times = [FIRST_CHECK_SECONDS]
    while times[-1] < song_seconds:
        times.append(times[-1] + min(CHECK_CAP_SECONDS, FIRST_CHECK_SECONDS * GROWTH ** (len(times) - 1)))
    return times


def waiting_looks() -> float:
    """Looks at a song that is not finished, on average."""
    return fmean(len(look_times(song)) - 1 for song in _songs())


def _songs() -> range:
    return range(SHORTEST_SONG, LONGEST_SONG + 1)


def _look(of: Measured, batch: int) -> Work:
    # Its CPU time is not measured; a submission's is more, for it calls AWS as well.
    return _plus(_lambda(batch, POLL_SECONDS + AWS_CALL_SECONDS, of.submit_cpu_ms), {Unit.SQS_REQUESTS: 1 / batch})


def _webhook(of: Measured) -> Work:
    return _plus(
        _lambda(1, 2 * AWS_CALL_SECONDS, of.submit_cpu_ms),
        {
            Unit.HTTP_API_REQUESTS: 1,
            Unit.DYNAMODB_WRITES: of.webhook_writes,
            Unit.SQS_REQUESTS: 1,
            Unit.LOG_BYTES: of.webhook_log_bytes,
        },
    )


def _lambda(batch: int, waits: float, cpu_ms_a_song: float) -> Work:
    """A song's share of an invocation that waits for so many seconds, and computes at its share of a core."""
    seconds = waits + batch * cpu_ms_a_song / 1000 / SHARE_OF_A_CORE
    return {
        Unit.LAMBDA_REQUESTS: 1 / batch,
        Unit.LAMBDA_GB_SECONDS: MEMORY_GB * seconds / batch,
        Unit.LOG_BYTES: PLATFORM_LOG_BYTES / batch,
    }


def _from_a_queue(batch: int) -> Work:
    """Sent by its caller, received and deleted by the batch."""
    return {Unit.SQS_REQUESTS: 1 + 2 / batch}


def _plus(*works: Work) -> Work:
    units = dict.fromkeys((unit for work in works for unit in work), 0.0)
    return {unit: sum(work.get(unit, 0.0) for work in works) for unit in units}


def _times(count: float, work: Work) -> Work:
    return {unit: count * amount for unit, amount in work.items()}
