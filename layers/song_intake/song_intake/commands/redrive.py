"""Has redrive_letters move dead letters back to their queues, and prints what was there before and after.

Letters that come back in the meantime are not moved again: a request in doubt becomes a letter again moments after it
was moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import click

from song_intake.aws.failure import AWS_FAILURES
from song_intake.commands.failure_lines import failure_line
from song_intake.commands.options import Count, Hours, ReasonCode
from song_intake.commands.program import FAILED, OperatorCommand
from song_intake.commands.stack import Target, invoke, refusal_in
from song_intake.commands.terminal import print_json, print_line
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

QUEUES = ("requests", "checks")


class _RedriveFailed(Exception):
    """The function did not execute an order. response: its response."""

    def __init__(self, response: Mapping[str, object]) -> None:
        super().__init__("redrive_letters failed")
        self.response = response


@frozen
class _Plan:
    """What is moved from each queue. Its methods raise _RedriveFailed."""

    functions: LambdaClient
    function_name: str
    options: Mapping[str, object]
    limit: int | None

    def count(self, queue: str, before: object = None) -> dict[str, object]:
        """Count the letters of a queue; none is moved. before: see `move`."""
        response = self._invoke(queue, before=before, dry_run=True)
        if "error" in response:
            raise _RedriveFailed(response)
        return response

    def move(self, queue: str, counted: dict[str, object], moved: Counter[str]) -> dict[str, object]:
        """Move the selected letters, also those that an incomplete count left out, but none that was sent since.

        Adds them to `moved` by reason. Returns the last count.
        """
        before = counted["at"]
        while selected := cast("int", counted["selected"]):
            left = selected if self.limit is None else min(selected, self.limit - moved.total())
            if left == 0:
                break
            response = self._invoke(queue, limit=left, before=before)
            newly = cast("dict[str, int]", response["moved"])
            moved.update(newly)
            if "error" in response:
                raise _RedriveFailed(response)
            counted = self.count(queue, before)
            if not newly:
                break
        return counted

    def _invoke(self, queue: str, **order: object) -> dict[str, object]:
        event = {"queue": queue, **self.options, **order}
        response, _ = invoke(self.functions, self.function_name, event)
        if "moved" not in response:
            raise _RedriveFailed(response)
        return response


@click.command(cls=OperatorCommand)
@click.option("--reason", type=ReasonCode(), help="Only letters with this reason.")
@click.option("--limit", type=Count(), help="At most so many letters of each queue.")
@click.option("--older", type=Hours(), help="Only letters that were sent so many hours ago.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Count the letters and move none.")
@click.pass_obj
def redrive(target: Target, reason: Reason | None, limit: int | None, older: float | None, *, is_dry_run: bool) -> int:
    """Move dead letters back to their queues. Safe for any letter, any number of times: nothing is paid for twice.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      redrive --dry-run
      redrive --reason OUTCOME_UNKNOWN --limit 100 --older 2

    Exit code 1: a call failed. What was moved until then is printed.
    """
    name = target.output("RedriveLettersFunctionName")
    plan = _Plan(target.functions, name, {"reason": reason, "older_hours": older}, limit)
    # A stack that keeps no recordings has no letters about them.
    queues = (*QUEUES, "recordings") if "RecordingDeadLetterQueueUrl" in target.outputs else QUEUES
    with ThreadPoolExecutor(len(queues)) as threads:
        runs = {queue: threads.submit(_redriven, plan, queue, is_dry_run=is_dry_run) for queue in queues}
        reports = {queue: run.result() for queue, run in runs.items()}
    if target.is_json:
        print_json(reports)
    else:
        for queue, report in reports.items():
            print_line(_report_line(queue, report))
    return FAILED if any("failed" in report for report in reports.values()) else 0


def _redriven(plan: _Plan, queue: str, *, is_dry_run: bool) -> dict[str, Any]:
    """What was on the queue before and after, and what was moved."""
    report: dict[str, Any] = {}
    moved: Counter[str] = Counter()
    try:
        before = plan.count(queue)
        report["before"] = _shown(before)
        if not is_dry_run:
            report["moved"] = moved
            report["after"] = _shown(plan.move(queue, before, moved))
    except _RedriveFailed as failed:
        report["failed"] = failed.response
    except AWS_FAILURES as failure:
        report["failed"] = {"error": failure_line(failure)}
    return report


def _shown(response: Mapping[str, object]) -> dict[str, object]:
    """`selected`: how many letters the options select. Not `is_complete`: there are more than one invocation reads."""
    return {name: response[name] for name in ("letters", "selected", "is_complete")}


def _report_line(queue: str, report: Mapping[str, Any]) -> str:
    """The counts of one queue, such as "requests: 3 (REFUSED 2, UNFORESEEN 1); moved 3 (...); 0 left"."""
    parts = []
    if "before" in report:
        parts.append(f"{_counted(report['before'])}, {report['before']['selected']} selected")
    if "moved" in report:
        parts.append(f"moved {_by_reason(report['moved'])}")
    if "after" in report:
        parts.append(f"{_counted(report['after'])} left")
    if "failed" in report:
        parts.append(f"failed: {refusal_in(report['failed'])}")
    return f"{queue}: {'; '.join(parts)}"


def _counted(shown: Mapping[str, Any]) -> str:
    counts = {reason: sum(by_age.values()) for reason, by_age in shown["letters"].items()}
    return _by_reason(counts) + ("" if shown["is_complete"] else " or more")


def _by_reason(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{total} ({reasons})" if total else "0"
