"""The checks of a deployed stack, in their order, and the report of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from song_intake.commands.alarm_check import check_alarms
from song_intake.commands.checkup import (
    Finding,
    closing_lines,
    examine,
    exit_code,
    line_of,
    skipped,
)
from song_intake.commands.deployed import DeployedStack
from song_intake.commands.ledger_checks import check_batched_writes, check_role
from song_intake.commands.letter_check import check_dead_letter
from song_intake.commands.mapping_check import check_mapping
from song_intake.commands.song_check import check_song
from song_intake.commands.stack_checks import check_functions, check_template, check_token
from song_intake.commands.terminal import print_json, print_line, print_note
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

_NOT_PAID = skipped("--paid (PAID=1) has one song created, and pays for it")


def diagnose(stack: DeployedStack, *, is_paid: bool, is_json: bool = False) -> int:
    """Run every check, and print each finding as it comes, or all as JSON at the end. Returns the exit code."""
    findings = {check.name: _examined(check, stack, is_json=is_json) for check in CHECKS}
    findings[PAID_CHECK.name] = (
        _examined(PAID_CHECK, stack, is_json=is_json)
        if is_paid
        else _printed(PAID_CHECK.name, _NOT_PAID, is_json=is_json)
    )
    if is_json:
        print_json([{"check": name, **asdict(finding)} for name, finding in findings.items()])
    for line in closing_lines([*findings.values()]) if not is_json else ():
        print_line(line)
    return exit_code([*findings.values()])


def _examined(check: Check, stack: DeployedStack, *, is_json: bool) -> Finding:
    return _printed(check.name, examine(partial(check.run, stack)), is_json=is_json)


def _printed(name: str, finding: Finding, *, is_json: bool) -> Finding:
    (print_note if is_json else print_line)(line_of(name, finding))
    return finding
