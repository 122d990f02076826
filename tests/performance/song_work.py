"""The billed units of one song in each design: for submitting it, and for tracking it and publishing its events.

The work is the same in every design. Submitting: receive the request, claim it, create the song, record the task_id.
Tracking: poll until the song is finished, record its end with the clips, and publish an event for the submission and
one for the end. A part that a design cannot do costs nothing, and the table shows that. The alternatives pay only for
what they need, and poll at the same times as this stack without its webhook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from song_intake.aws.signing_key import KEYS_KEPT_SECONDS
from song_intake.work.tracking import _GROWTH as GROWTH
from tests.performance.measured import Measured
from tests.performance.prices import Unit
from tests.template.transformed import shipped

Work = Mapping[Unit, float]
"""Billed units of one song."""

MEMORY_GB: Final = 256 / 1024
# At 1,769 MB a function has one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE_OF_A_CORE: Final = 256 / 1769
# START, END and REPORT, with the 26 bytes that CloudWatch Logs adds to each line.
PLATFORM_LOG_BYTES: Final = 400

CREATE_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.3
AWS_CALL_SECONDS: Final = 0.01
SHORTEST_SONG, LONGEST_SONG = 20, 80  # seconds from the create to the end, uniformly distributed
FIRST_CHECK_SECONDS: Final = 15.0
CHECK_CAP_SECONDS: Final = 300.0
# A row with two clips and their URLs has between 1 and 2 KB.
UNITS_OF_AN_END: Final = 2

FULL_BATCH: Final = 10
CREATES_PER_MINUTE: Final = 20
PACED_BATCH: Final[int] = shipped()["Mappings"]["Paces"][str(CREATES_PER_MINUTE)]["BatchSize"]
PACED_WORKERS: Final = 2

VERSIONS_OF_THE_KEY: Final = 2

EXPRESS_GB: Final = 64 / 1024


@dataclass(frozen=True, slots=True)
class Design:
    name: str
    submitting: Work
    tracking: Work | None
    """None if the design cannot track songs."""
    remark: str


def designs(of: Measured) -> tuple[Design, ...]:
    return (
        Design(
            "**this stack**, batches of 10, no pace",
            submitted(of, FULL_BATCH, CREATE_SECONDS),
            tracked(of, FULL_BATCH),
            "needs a vendor without a rate limit",
        ),
        Design(
            "**this stack**, the same, `Webhook` `off`",
            submitted(of, FULL_BATCH, CREATE_SECONDS),
            tracked(of, FULL_BATCH, webhook=False),
            "a request in doubt waits for an operator",
        ),
        Design(
            f"**this stack**, {CREATES_PER_MINUTE} creates a minute",
            _plus(
                submitted(of, PACED_BATCH, PACED_WORKERS * PACED_BATCH * 60 / CREATES_PER_MINUTE),
                {Unit.DYNAMODB_WRITES: 1 / PACED_BATCH},
            ),
            # One process of track_song and one of receive_webhook, besides those of submit_song.
            _plus(tracked(of, 1), _key_reads(2, CREATES_PER_MINUTE / 60)),
            "a batch waits for its slots inside its function, 6 s a song while there is a backlog",
        ),
        Design(
            "**this stack**, one request at a time",
            submitted(of, 1, CREATE_SECONDS),
            tracked(of, 1),
            "every request has its own invocations and calls",
        ),
        Design(
            "one after another: SQS, Lambda, `BatchProcessor`",
            one_after_another(of),
            tracked_one_after_another(of),
            "after a lost response it pays again, or loses the song without a report",
        ),
        Design(
            "Step Functions Standard, HTTP Task",
            {Unit.TRANSITIONS: 2, Unit.DYNAMODB_WRITES: 1},
            standard_tracked(),
            "a lost response is an error like any other, and its retry pays again; no queue in front of the vendor",
        ),
        Design(
            "Step Functions Express, HTTP Task",
            {Unit.EXPRESS_REQUESTS: 1, Unit.EXPRESS_GB_SECONDS: EXPRESS_GB * CREATE_SECONDS, Unit.DYNAMODB_WRITES: 2},
            express_tracked(),
            "the same; an execution may run twice, and for 5 minutes at most",
        ),
        Design(
            "Pipes, API destination",
            {Unit.SQS_REQUESTS: 3, Unit.PIPES: 1, Unit.API_DESTINATIONS: 1},
            None,
            "discards the response with its `task_id`; retries failed calls, and so pays again; keeps no record",
        ),
    )


def submitted(of: Measured, batch: int, waits: float) -> Work:
    """waits: the seconds that a batch waits for the music API and for its slots."""
    return _plus(
        _lambda(batch, waits + 2 * AWS_CALL_SECONDS, of.submit_cpu_ms),
        _key_reads(1, batch / waits),
        _from_a_queue(batch),
        {Unit.DYNAMODB_WRITES: of.submit_writes, Unit.LOG_BYTES: of.submit_log_bytes},
    )


def tracked(of: Measured, batch: int, *, webhook: bool = True) -> Work:
    """The event and the check after the submission, the polls, and the end.

    A webhook adds a second check, whose poll finds the end first. Its write of the task finds the task on the row, and
    the last write of the other check fails its condition; both are billed too.
    """
    waiting = unfinished_polls()
    checks = 2 if webhook else 1
    return _plus(
        {Unit.EVENTS: of.submit_events + of.end_events},
        # Each check is sent, and deleted at the end; the webhook sends its own.
        {Unit.SQS_REQUESTS: 1 + checks / batch},
        _times(waiting + checks, _poll(of, batch)),
        # A check waits by a change of its visibility, in one call for each batch.
        {Unit.LOG_BYTES: waiting * of.wait_log_bytes, Unit.SQS_REQUESTS: waiting / batch},
        {Unit.LOG_BYTES: checks * of.end_log_bytes},
        {Unit.DYNAMODB_WRITES: (of.end_writes + checks - 1) * UNITS_OF_AN_END},
        _webhook(of, batch) if webhook else {},
    )


def one_after_another(of: Measured) -> Work:
    waits = FULL_BATCH * (CREATE_SECONDS + 2 * AWS_CALL_SECONDS)
    return _plus(
        _lambda(FULL_BATCH, waits, of.one_by_one_cpu_ms),
        _from_a_queue(FULL_BATCH),
        {Unit.DYNAMODB_WRITES: 2, Unit.LOG_BYTES: of.submit_log_bytes},
    )


def tracked_one_after_another(of: Measured) -> Work:
    """The same delayed checks, polled one after another; no webhook."""
    polls = unfinished_polls() + 1
    waits = FULL_BATCH * (POLL_SECONDS + AWS_CALL_SECONDS)
    return _plus(
        {Unit.SQS_REQUESTS: 1 + 1 / FULL_BATCH, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END},
        _times(polls, _lambda(FULL_BATCH, waits, of.one_by_one_cpu_ms)),
        _times(polls, {Unit.SQS_REQUESTS: 2 / FULL_BATCH, Unit.LOG_BYTES: of.wait_log_bytes}),
    )


def standard_tracked() -> Work:
    """Wait, HTTP Task and Choice for each poll; a state for each event, and one that records the end."""
    polls = unfinished_polls() + 1
    return {Unit.TRANSITIONS: 3 * polls + 3, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END}


def express_tracked() -> Work:
    """The same states are free there. The time until the poll that finds the song finished is billed."""
    seconds = fmean(poll_times(song)[-1] for song in _songs())
    return {Unit.EXPRESS_GB_SECONDS: EXPRESS_GB * seconds, Unit.EVENTS: 2, Unit.DYNAMODB_WRITES: UNITS_OF_AN_END}


def poll_times(song_seconds: float) -> list[float]:
    """The times of the polls, in seconds after the create, up to the first that finds the song finished."""
    times = [FIRST_CHECK_SECONDS]
    while times[-1] < song_seconds:
        times.append(times[-1] + min(CHECK_CAP_SECONDS, FIRST_CHECK_SECONDS * GROWTH ** (len(times) - 1)))
    return times


def unfinished_polls() -> float:
    """The average number of polls of a song before it is finished."""
    return fmean(len(poll_times(song)) - 1 for song in _songs())


def _songs() -> range:
    return range(SHORTEST_SONG, LONGEST_SONG + 1)


def _poll(of: Measured, batch: int) -> Work:
    # The CPU time of a poll is not measured. That of a submission is more, because it also calls AWS.
    return _plus(_lambda(batch, POLL_SECONDS + AWS_CALL_SECONDS, of.submit_cpu_ms), {Unit.SQS_REQUESTS: 1 / batch})


def _webhook(of: Measured, batch: int) -> Work:
    """The call, and what its check needs beyond another one: the write of the task, for which its batch waits."""
    return _plus(
        _lambda(1, AWS_CALL_SECONDS, of.submit_cpu_ms),
        {
            Unit.LAMBDA_GB_SECONDS: MEMORY_GB * AWS_CALL_SECONDS / batch,
            Unit.HTTP_API_REQUESTS: 1,
            Unit.DYNAMODB_WRITES: of.webhook_writes,
            Unit.SQS_REQUESTS: 1,
            Unit.LOG_BYTES: of.webhook_log_bytes,
        },
    )


def _key_reads(processes: int, songs_a_second: float) -> Work:
    """Each process reads two versions of the signing key again and again while it works."""
    return {Unit.SECRET_READS: processes * VERSIONS_OF_THE_KEY / (KEYS_KEPT_SECONDS * songs_a_second)}


def _lambda(batch: int, waits: float, cpu_ms_a_song: float) -> Work:
    """The share of one song in an invocation that waits for some seconds, and computes with its share of a core."""
    seconds = waits + batch * cpu_ms_a_song / 1000 / SHARE_OF_A_CORE
    return {
        Unit.LAMBDA_REQUESTS: 1 / batch,
        Unit.LAMBDA_GB_SECONDS: MEMORY_GB * seconds / batch,
        Unit.LOG_BYTES: PLATFORM_LOG_BYTES / batch,
    }


def _from_a_queue(batch: int) -> Work:
    """A message is sent by the caller, and received and deleted with its batch."""
    return {Unit.SQS_REQUESTS: 1 + 2 / batch}


def _plus(*works: Work) -> Work:
    units = dict.fromkeys((unit for work in works for unit in work), 0.0)
    return {unit: sum(work.get(unit, 0.0) for work in works) for unit in units}


def _times(count: float, work: Work) -> Work:
    return {unit: count * amount for unit, amount in work.items()}
