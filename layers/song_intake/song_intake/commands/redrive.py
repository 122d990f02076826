"""Has redrive_letters move dead letters back to their queues, and prints what was there before and after, as JSON:

    python -m song_intake.commands.redrive STACK [--reason CODE] [--limit COUNT] [--older HOURS] [--dry-run]

Letters that come back in the meantime are not moved again: a request in doubt becomes a letter again moments after it
was moved. Exit code 1: a call failed; what was moved until then is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.options import add_flag, count, hours, reason_code
from song_intake.commands.stack import functions, invoke, outputs_of, print_response
from song_intake.domain.frozen import frozen

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


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    outputs = outputs_of(given.stack)
    name = outputs["RedriveLettersFunctionName"]
    # A stack that keeps no recordings has no letters about them.
    queues = (*QUEUES, "recordings") if "RecordingDeadLetterQueueUrl" in outputs else QUEUES
    plan = _Plan(
        functions(),
        name,
        {"reason": given.reason, "older_hours": given.older},
        given.limit,
    )
    with ThreadPoolExecutor(len(queues)) as threads:
        runs = {queue: threads.submit(_redriven, plan, queue, is_dry_run=given.dry_run) for queue in queues}
        reports = {queue: run.result() for queue, run in runs.items()}
    print_response(reports)
    return 1 if any("failed" in report for report in reports.values()) else 0


def _redriven(plan: _Plan, queue: str, *, is_dry_run: bool) -> dict[str, object]:
    """What was on the queue before and after, and what was moved."""
    report: dict[str, object] = {}
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
        report["failed"] = {"error": code_of(failure)}
    return report


def _shown(response: Mapping[str, object]) -> dict[str, object]:
    """`selected`: how many letters the options select. Not `is_complete`: there are more than one invocation reads."""
    return {name: response[name] for name in ("letters", "selected", "is_complete")}


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.redrive",
        description="Move dead letters back to their queues.",
        allow_abbrev=False,
    )
    parser.add_argument("stack")
    parser.add_argument("--reason", metavar="CODE", type=reason_code, help="only letters with this reason")
    parser.add_argument("--limit", metavar="COUNT", type=count, help="at most so many letters of each queue")
    parser.add_argument("--older", metavar="HOURS", type=hours, help="only letters that were sent so long ago")
    add_flag(parser, "--dry-run", "count the letters and move none")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
