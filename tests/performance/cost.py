"""The cost of a million songs: tables of README.md beside this file, from prices.py, measured.json and song_work.py.

python -m tests.performance.cost                              prints them
python -m tests.performance.cost tests/performance/README.md  also writes them between the markers of that file
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from song_intake.outgoing.metrics import BUDGET_USED, METRICS, SENDER_BUDGET_USED
from tests.performance.measured import Measured
from tests.performance.prices import PRICES, READ_ON, Unit
from tests.performance.song_work import (
    AWS_CALL_SECONDS,
    MEMORY_GB,
    PLATFORM_LOG_BYTES,
    Design,
    Work,
    designs,
)
from tests.template.transformed import shipped

SONGS: Final = 1_000_000

# The columns of the tables, and the units in each.
SERVICES: Final[Mapping[str, frozenset[Unit]]] = {
    "Lambda": frozenset({Unit.LAMBDA_GB_SECONDS, Unit.LAMBDA_REQUESTS}),
    "DynamoDB": frozenset({Unit.DYNAMODB_WRITES}),
    "SQS": frozenset({Unit.SQS_REQUESTS}),
    "EventBridge": frozenset({Unit.EVENTS, Unit.PIPES, Unit.API_DESTINATIONS}),
    "Step Functions": frozenset({Unit.TRANSITIONS, Unit.EXPRESS_REQUESTS, Unit.EXPRESS_GB_SECONDS}),
    "logs, HTTP API, secrets": frozenset({Unit.LOG_BYTES, Unit.HTTP_API_REQUESTS, Unit.SECRET_READS}),
}

# An event source mapping with a maximum concurrency polls an idle queue with five pollers, every 20 seconds each:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
_POLLERS: Final = 5
_POLLS_A_MONTH: Final = 30 * 86_400 / 20
_FIVE_MINUTES_A_MONTH: Final = 30 * 86_400 / 300

_UNVERIFIED: Final = (
    "AWS's pages load most prices by script, so these were read in stored copies of pages that quote them, with the "
    "date on that page. The undated ones and the one of 2024 were not verified further. Check a price with AWS before "
    "you rely on it."
)

# Only with a budget. Each create writes one item of up to 1 KB (some 15 senders a day), and one line of the log.
_BUDGET_METRICS: Final = {BUDGET_USED, SENDER_BUDGET_USED}
_BUDGET_CONDITIONS: Final = ("HasBudget", "HasSenderBudget")
_BUDGET_OF_A_SONG: Final[Work] = {Unit.DYNAMODB_WRITES: 1, Unit.LOG_BYTES: 400}

_CLIPS: Final = 2
_RECORDING_GB: Final = 0.004
"""A clip of four minutes at 128 kbit/s, in m4a."""
_COPY_SECONDS: Final = 1.0
_CALLS_OF_KEEPING: Final = 4
# A row with two clips and two recordings has between 2 and 3 KB.
_UNITS_OF_KEEPING: Final = 3
# What its log has of a song, as UTF-8: a line, and the metrics of two copies and of the song.
_LOG_BYTES_OF_KEEPING: Final = 2_000
RECORDINGS_OF_A_SONG: Final[Work] = {
    # The message is sent, received and deleted.
    Unit.SQS_REQUESTS: 3,
    Unit.LAMBDA_REQUESTS: 1,
    Unit.LAMBDA_GB_SECONDS: MEMORY_GB * (_CLIPS * _COPY_SECONDS + _CALLS_OF_KEEPING * AWS_CALL_SECONDS),
    Unit.S3_PUTS: _CLIPS,
    Unit.DYNAMODB_READS: 1,
    # The recordings, and that they are published.
    Unit.DYNAMODB_WRITES: 2 * _UNITS_OF_KEEPING,
    Unit.EVENTS: 1,
    Unit.LOG_BYTES: PLATFORM_LOG_BYTES + _LOG_BYTES_OF_KEEPING,
}
RECORDINGS_FOR_A_MONTH: Final[Work] = {Unit.S3_GB_MONTHS: _CLIPS * _RECORDING_GB}

_START: Final = "<!-- cost: `make cost` writes from here -->"
_END: Final = "<!-- cost: to here -->"


def usd(work: Work) -> float:
    return sum(amount * PRICES[unit].each for unit, amount in work.items())


def usd_by_service(work: Work) -> list[float]:
    """The cost of this work for a million songs in each column, rounded to the cent, so that the columns add up."""
    return [
        round(SONGS * usd({unit: amount for unit, amount in work.items() if unit in units}), 2)
        for units in SERVICES.values()
    ]


def idle_work() -> Work:
    """The billed units of a month without songs, if every metric has a value, and no budget is set."""
    resources = [one for one in shipped()["Resources"].values() if one.get("Condition") not in _BUDGET_CONDITIONS]
    kinds = [resource["Type"] for resource in resources]
    sources = [
        event["Type"] for resource in resources for event in resource.get("Properties", {}).get("Events", {}).values()
    ]
    return {
        Unit.ALARMS: kinds.count("AWS::CloudWatch::Alarm"),
        Unit.METRICS: len(METRICS - _BUDGET_METRICS),
        Unit.DASHBOARDS: kinds.count("AWS::CloudWatch::Dashboard"),
        Unit.SECRETS: kinds.count("AWS::SecretsManager::Secret"),
        Unit.KMS_KEYS: kinds.count("AWS::KMS::Key"),
        Unit.SQS_REQUESTS: sources.count("SQS") * _POLLERS * _POLLS_A_MONTH,
        Unit.SCHEDULES: sources.count("ScheduleV2") * _FIVE_MINUTES_A_MONTH,
    }


def report(measured: Measured) -> str:
    them = designs(measured)
    return "\n".join(
        (
            *_part("submitting", {design.name: design.submitting for design in them}),
            "",
            *_part("tracking and events", {design.name: design.tracking for design in them}),
            "",
            *_rows(("both", "USD", "remark"), [_both(design) for design in them]),
            "",
            _when_idle(),
            "",
            _with_recordings(),
            "",
            _with_a_budget(),
            "",
            f"<details><summary>The prices, read on {READ_ON}</summary>",
            "",
            *_rows(("unit", "USD", "page", "read in a copy of", "dated"), _prices()),
            "",
            _UNVERIFIED,
            "",
            "</details>",
        )
    )


def between_markers(readme: str) -> str:
    """The README's text between the markers. Raises ValueError if there are no markers."""
    found = re.search(f"{re.escape(_START)}\n\n(.*)\n\n{re.escape(_END)}", readme, flags=re.DOTALL)
    if found is None:
        raise ValueError("the markers of the cost are missing")
    return found[1]


def placed(readme: str, text: str) -> str:
    """The README with this text between its markers. Raises ValueError if there are no markers."""
    before, after = _framed(between_markers(readme)), _framed(text)
    return readme.replace(before, after)


def _framed(text: str) -> str:
    return f"{_START}\n\n{text}\n\n{_END}"


def _part(title: str, works: Mapping[str, Work | None]) -> list[str]:
    return _rows((title, *SERVICES, "USD"), [(name, *_amounts(work)) for name, work in works.items()])


def _amounts(work: Work | None) -> list[str]:
    if work is None:
        return [*[""] * len(SERVICES), "not possible"]
    amounts = usd_by_service(work)
    return [*(f"{amount:.2f}" if amount else "" for amount in amounts), f"**{sum(amounts):.2f}**"]


def _both(design: Design) -> tuple[str, str, str]:
    if design.tracking is None:
        return design.name, "", design.remark
    total = sum(usd_by_service(design.submitting)) + sum(usd_by_service(design.tracking))
    return design.name, f"**{total:.2f}**", design.remark


def _when_idle() -> str:
    names = {
        Unit.ALARMS: "alarms",
        Unit.METRICS: "metrics",
        Unit.DASHBOARDS: "dashboard",
        Unit.SECRETS: "secrets",
        Unit.KMS_KEYS: "key",
    }
    work = idle_work()
    counted = [f"{work[unit]:.0f} {name}" for unit, name in names.items()]
    monthly = f"In addition, the stack costs up to {usd(work):.2f} USD a month without any songs"
    return f"{monthly}: {', '.join(counted)}, and polls of empty queues."


def _with_recordings() -> str:
    copying = usd(RECORDINGS_OF_A_SONG)
    kept = usd(RECORDINGS_FOR_A_MONTH)
    megabytes = round(_RECORDING_GB * 1000)
    return (
        f"Keeping recordings (`KeepRecordings` `m4a`) adds {SONGS * copying:.2f} USD for a million songs of {_CLIPS} "
        f"clips of {megabytes} MB, {1000 * copying:.3f} USD for a thousand: {_CLIPS} S3 requests, {_COPY_SECONDS:g} s "
        f"of Lambda for each copy, the row, the event and the log. Storing them costs {1000 * kept:.2f} USD a month "
        "for a thousand songs. A WAV file has ten times the size. Incoming data is free, and there is no NAT gateway."
    )


def _with_a_budget() -> str:
    alarms = [one for one in shipped()["Resources"].values() if one.get("Condition") in _BUDGET_CONDITIONS]
    monthly = usd({Unit.ALARMS: len(alarms), Unit.METRICS: len(_BUDGET_METRICS)})
    songs = SONGS * usd(_BUDGET_OF_A_SONG)
    return (
        f"A budget (`CreatesPerDay`, `CreatesPerDayAndSender`) adds {songs:.2f} USD for a million songs, one write and "
        f"one line of the log each, and up to {monthly:.2f} USD a month: {len(alarms)} alarms, {len(_BUDGET_METRICS)} "
        "metrics."
    )


def _prices() -> list[tuple[str, ...]]:
    return [
        (
            unit,
            f"{price.usd:g} {price.count_in_words}",
            f"[AWS]({price.page})",
            f"[{_host(price.seen)}]({price.seen})",
            price.dated,
        )
        for unit, price in PRICES.items()
    ]


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def main(arguments: Sequence[str]) -> None:
    text = report(Measured.load())
    print(text)  # noqa: T201
    for name in arguments:
        readme = Path(name)
        readme.write_text(placed(readme.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
