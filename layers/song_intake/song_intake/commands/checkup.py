"""A check of a deployed stack, what it found, and the line that reports it.

An exception within a check is a failed check, and does not end the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError

from song_intake.aws.failure import AWS_FAILURES, code_of

DENIED = frozenset(("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"))
"""The codes by which AWS's services refuse a caller that lacks a right."""


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. text: one line; that of a failed check says what to do."""

    verdict: Verdict
    text: str
    observed: tuple[str, ...] = ()
    """What AWS did in matters that its documentation leaves open."""


class CheckFailed(Exception):
    """Ends a check as failed. The text of the exception is that of the finding."""


class CheckSkipped(Exception):
    """Ends a check as skipped. The text of the exception is that of the finding."""


def passed(text: str, *observed: str) -> Finding:
    return Finding(Verdict.OK, text, observed)


def failed(text: str, *observed: str) -> Finding:
    return Finding(Verdict.FAILED, text, observed)


def skipped(text: str) -> Finding:
    return Finding(Verdict.SKIPPED, text)


def examine(check: Callable[[], Finding]) -> Finding:
    """Run one check. Never raises an Exception."""
    try:
        return check()
    except CheckFailed as failure:
        return failed(str(failure))
    except CheckSkipped as reason:
        return skipped(str(reason))
    except AWS_FAILURES as failure:
        return failed(aws_failure(failure))
    except Exception as failure:  # noqa: BLE001 - the other checks still run; the text may quote what was sent
        return failed(f"unexpected {type(failure).__name__}: report it to the project")


def aws_failure(failure: Exception) -> str:
    """The call, AWS's code for its failure, and what to do."""
    call = failure.operation_name if isinstance(failure, ClientError) else "the call"
    code = code_of(failure)
    if code in DENIED:
        return (
            f"{call} was refused ({code}): your role lacks this right; OperatorPolicyArn and DoctorPolicyArn grant all"
        )
    return f"{call} failed ({code}): run the doctor again; if it fails again, look up AWS's code"


def line_of(name: str, finding: Finding) -> str:
    """The report of one check."""
    return f"{finding.verdict:<8} {name:<16} {finding.text}"


def closing_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """What AWS did, and how many checks ended in which way."""
    observed = [text for finding in findings for text in finding.observed]
    if observed:
        yield ""
        yield "What AWS did here, where its documentation leaves it open:"
        yield from (f"- {text}" for text in observed)
    yield ""
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    yield f"{counts[Verdict.OK]} ok, {counts[Verdict.FAILED]} failed, {counts[Verdict.SKIPPED]} skipped"


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if a check failed."""
    return 1 if any(finding.verdict is Verdict.FAILED for finding in findings) else 0
