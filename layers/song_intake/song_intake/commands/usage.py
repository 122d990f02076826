"""Shows how many creates of a UTC day each sender has used:

    python -m song_intake.commands.usage STACK [--day 2026-07-01]

It reads one item of the ledger and changes nothing. The counts include creates whose outcome is unknown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

import boto3

from song_intake.admission.budget_item import BudgetItem, BudgetLimits, Usage, day_of
from song_intake.aws.failure import AWS_FAILURES
from song_intake.commands.checkup import aws_failure
from song_intake.commands.options import day
from song_intake.commands.terminal import print_line
from song_intake.ledger.table import LedgerUnavailable

_OF_STACK, _OF_SENDER = "CreatesPerDay", "CreatesPerDayAndSender"


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    wanted = given.day or day_of(time.time())
    try:
        parameters, table = _deployed(given.stack)
        limits = BudgetLimits(int(parameters.get(_OF_STACK, "0")), int(parameters.get(_OF_SENDER, "0")))
        usage = BudgetItem(boto3.client("dynamodb"), table, limits).read(wanted)
    except LedgerUnavailable as failure:
        print_line(f"the ledger could not be read ({failure}): you need dynamodb:GetItem on it")
        return 1
    except AWS_FAILURES as failure:
        print_line(f"{aws_failure(failure)}. Check STACK, the region and your credentials")
        return 1
    for line in usage_lines(wanted, usage, limits):
        print_line(line)
    return 0


def usage_lines(wanted: str, usage: Usage, limits: BudgetLimits) -> Iterator[str]:
    """The report: the stack first, then the senders, those with the most creates first."""
    if not limits.stack and not limits.sender:
        yield f"No creates are counted: set {_OF_STACK} or {_OF_SENDER}."
        if not usage.used:
            return
    yield f"Creates on {wanted} (UTC):"
    senders = sorted(usage.by_sender.items(), key=lambda one: (-one[1], one[0]))
    width = max(len(name) for name in ("stack", *usage.by_sender))
    yield _line("stack", width, usage.used, limits.stack)
    for name, used in senders:
        yield _line(name, width, used, limits.sender)


def _line(name: str, width: int, used: int, limit: int) -> str:
    share = f" of {limit}, {100 * used // limit} %" if limit else ", no limit"
    return f"{name:<{width}}  {used}{share}"


def _deployed(stack: str) -> tuple[Mapping[str, str], str]:
    """The stack's parameters, and the name of its ledger. Raises AWS_FAILURES."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return parameters, outputs["LedgerTableName"]


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.usage", description="Show the creates of a day.", allow_abbrev=False
    )
    parser.add_argument("stack")
    parser.add_argument("--day", type=day, default=None, help="a UTC day such as 2026-07-01; today if it is left out")
    given = parser.parse_args(arguments)
    if not given.stack:
        parser.error("name the stack: make usage STACK=...")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
