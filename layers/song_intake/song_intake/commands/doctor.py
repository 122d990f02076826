"""Checks a deployed stack, and prints one line for each check:

    python -m song_intake.commands.doctor STACK [--paid]

Nothing is paid for without --paid, which has one song created. Each check removes what it made. Exit code 1: a check
failed, and its line says what to do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import boto3

from song_intake.aws.failure import AWS_FAILURES
from song_intake.commands.alarm_check import check_alarms
from song_intake.commands.checkup import (
    Finding,
    aws_failure,
    closing_lines,
    examine,
    exit_code,
    failed,
    line_of,
    skipped,
)
from song_intake.commands.deployed import DeployedStack, Waiting, described_stack, post_by_requests
from song_intake.commands.ledger_checks import check_batched_writes, check_role
from song_intake.commands.letter_check import check_dead_letter
from song_intake.commands.mapping_check import check_mapping
from song_intake.commands.options import add_flag
from song_intake.commands.song_check import check_song
from song_intake.commands.stack_checks import check_functions, check_template, check_token
from song_intake.commands.terminal import print_line
from song_intake.commands.webhook_checks import check_forgery, check_webhook


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    run: Callable[[DeployedStack], Finding]


# The alarms come after what may make one of them publish: then none has to be set for a test.
CHECKS = (
    Check("template", check_template),
    Check("functions", check_functions),
    Check("token", check_token),
    Check("dead letter", check_dead_letter),
    Check("batched writes", check_batched_writes),
    Check("role", check_role),
    Check("webhook", check_webhook),
    Check("forged webhook", check_forgery),
    Check("intake switch", check_mapping),
    Check("alarms", check_alarms),
)
PAID_CHECK = Check("paid song", check_song)

_NOT_PAID = skipped("PAID=1 has one song created, and pays for it")


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    session = boto3.Session()
    return diagnose(lambda: described_stack(session, given.stack, Waiting(), post_by_requests), is_paid=given.paid)


def diagnose(describe: Callable[[], DeployedStack], *, is_paid: bool) -> int:
    """Run and print every check. Returns the exit code. describe: raises AWS_FAILURES."""
    try:
        stack = describe()
    except AWS_FAILURES as failure:
        print_line(line_of("stack", failed(f"{aws_failure(failure)}. Check STACK, the region and your credentials")))
        return 1
    findings = [_examined(check, stack) for check in CHECKS]
    findings.append(_examined(PAID_CHECK, stack) if is_paid else _printed(PAID_CHECK.name, _NOT_PAID))
    for line in closing_lines(findings):
        print_line(line)
    return exit_code(findings)


def _examined(check: Check, stack: DeployedStack) -> Finding:
    return _printed(check.name, examine(partial(check.run, stack)))


def _printed(name: str, finding: Finding) -> Finding:
    print_line(line_of(name, finding))
    return finding


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.doctor", description="Check a deployed stack.", allow_abbrev=False
    )
    parser.add_argument("stack")
    add_flag(parser, "--paid", "have one song created too, and pay for it")
    given = parser.parse_args(arguments)
    if not given.stack:
        parser.error("name the stack: make doctor STACK=...")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
