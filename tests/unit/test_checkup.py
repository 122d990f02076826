"""What the doctor makes of the findings of its checks: lines, a summary and an exit code."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from song_intake.commands.checkup import (
    CheckFailed,
    CheckSkipped,
    Finding,
    Verdict,
    closing_lines,
    examine,
    exit_code,
    failed,
    line_of,
    passed,
    skipped,
)

SECRET = "a-secret-in-an-exception"
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "DescribeAlarms")
THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": SECRET}}, "DescribeAlarms")
UNREACHED = EndpointConnectionError(endpoint_url=f"https://{SECRET}.example")


@pytest.mark.parametrize(
    ("raised", "verdict", "text"),
    [
        (CheckFailed("broken: correct it"), Verdict.FAILED, "broken: correct it"),
        (CheckSkipped("not deployed"), Verdict.SKIPPED, "not deployed"),
        (DENIED, Verdict.FAILED, "DescribeAlarms was refused (AccessDenied): your role lacks this right"),
        (THROTTLED, Verdict.FAILED, "DescribeAlarms failed (Throttling): run the doctor again"),
        (UNREACHED, Verdict.FAILED, "the call failed (EndpointConnectionError): run the doctor again"),
        (KeyError(SECRET), Verdict.FAILED, "unexpected KeyError: report it"),
    ],
)
def test_an_exception_is_the_finding_of_its_check_and_is_not_quoted(
    raised: Exception, verdict: Verdict, text: str
) -> None:
    def check() -> Finding:
        raise raised

    finding = examine(check)
    assert finding.verdict is verdict
    assert finding.text.startswith(text)
    assert SECRET not in finding.text


def test_ctrl_c_ends_the_doctor() -> None:
    def check() -> Finding:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(check)


def test_each_finding_is_one_line_with_its_verdict_first() -> None:
    findings = (passed("sound"), failed("broken: correct it"), skipped("not deployed"))
    assert [line_of("webhook", finding) for finding in findings] == [
        "ok       webhook          sound",
        "FAILED   webhook          broken: correct it",
        "skipped  webhook          not deployed",
    ]


def test_what_aws_did_comes_last_with_the_counts() -> None:
    findings = (passed("a", "it decodes"), failed("b"), skipped("c"), passed("d", "it is slow"))
    assert [*closing_lines(findings)][2:] == ["- it decodes", "- it is slow", "", "2 ok, 1 failed, 1 skipped"]
    assert [*closing_lines(findings[1:3])] == ["", "0 ok, 1 failed, 1 skipped"]


@pytest.mark.parametrize(
    ("findings", "code"),
    [((passed("a"), skipped("b")), 0), ((passed("a"), failed("b")), 1), ((), 0)],
)
def test_the_exit_code_is_1_if_a_check_failed(findings: tuple[Finding, ...], code: int) -> None:
    assert exit_code(findings) == code
