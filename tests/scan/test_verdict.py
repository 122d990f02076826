"""How the reports of the scanners are read: what counts as a finding, and that no data is not the same as clean."""

import json
import shlex
from pathlib import Path

import pytest

from tests.scan.run_scanners import TEMPLATE, main
from tests.scan.verdict import NO_DATA, Json, of_bandit, of_checkov, of_pip_audit

PLACE = "AWS::SQS::Queue.SongRequests: CKV_AWS_27"


def bandit(*results: Json, lines: int = 7890, nosec: int = 0, errors: tuple[Json, ...] = ()) -> Json:
    totals = {"loc": lines, "nosec": nosec, "skipped_tests": 6}
    return {"results": list(results), "errors": list(errors), "metrics": {"_totals": totals}}


def check(result: str, reason: str | None = None, template: str = str(TEMPLATE)) -> Json:
    return {
        "check_id": "CKV_AWS_27",
        "check_name": "Ensure the queue is encrypted",
        "check_result": {"result": result, "suppress_comment": reason},
        "resource": "AWS::SQS::Queue.SongRequests",
        "file_path": template,
        "file_abs_path": template,
    }


def checkov(*checks: Json, unparsed: tuple[str, ...] = ()) -> Json:
    kinds = ("passed", "failed", "skipped")
    found = {
        f"{kind}_checks": [one for one in checks if one["check_result"]["result"] == kind.upper()] for kind in kinds
    }
    return {"results": found | {"parsing_errors": list(unparsed)}}


def audit(*packages: Json) -> Json:
    return {"dependencies": list(packages), "fixes": []}


PASSED, FAILED = check("PASSED"), check("FAILED")
EXCEPTED = check("SKIPPED", "SqsManagedSseEnabled encrypts it")
SAFE = {"name": "idna", "version": "3.20", "vulns": []}
UNKNOWN = {"name": "six", "skip_reason": "not found"}
UNSAFE = {"name": "jmespath", "version": "1.1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1.1", "1.2.0"]}]}
ISSUE = {"filename": "a.py", "line_number": 7, "test_id": "B603", "issue_text": "subprocess call"}


@pytest.mark.parametrize(
    ("report", "findings"),
    [
        (bandit(), []),
        (bandit(ISSUE), ["a.py:7: B603 subprocess call"]),
        (bandit(errors=({"filename": "a.py", "reason": "syntax error"},)), ["a.py: syntax error"]),
        (bandit(lines=0), ["bandit read no code"]),
        (bandit(nosec=2), ["2 `nosec` without the id of a test"]),
    ],
)
def test_bandit_is_clean_if_it_read_code_and_each_exception_names_its_test(report: Json, findings: list[str]) -> None:
    assert list(of_bandit(report).findings) == findings


@pytest.mark.parametrize(
    ("report", "bare", "findings"),
    [
        (checkov(PASSED), checkov(PASSED), []),
        (checkov(PASSED, FAILED), checkov(PASSED, FAILED), [f"{PLACE} Ensure the queue is encrypted"]),
        (checkov(PASSED, EXCEPTED), checkov(PASSED, FAILED), []),
        (checkov(PASSED, EXCEPTED), checkov(PASSED), [f"{PLACE} passes and needs no exception"]),
        (
            checkov(PASSED, check("SKIPPED", "No comment provided")),
            checkov(PASSED, FAILED),
            [f"{PLACE} is excepted without a reason"],
        ),
        (checkov(PASSED, unparsed=("t.yaml",)), checkov(PASSED), ["t.yaml: cannot be parsed"]),
        (checkov(check("PASSED", template="/other.yaml")), checkov(PASSED), [f"/other.yaml: not {TEMPLATE}"]),
        (checkov(), checkov(), ["checkov passed nothing"]),
        ({"passed": 0, "failed": 0, "resource_count": 0}, checkov(), ["checkov ran no checks"]),
    ],
)
def test_checkov_is_clean_if_it_judged_the_template_and_each_exception_is_needed_and_explained(
    report: Json, bare: Json, findings: list[str]
) -> None:
    assert list(of_checkov(report, bare, str(TEMPLATE)).findings) == findings


@pytest.mark.parametrize(
    ("report", "findings"),
    [
        (audit(SAFE), []),
        (audit(SAFE, UNKNOWN), []),
        (audit(SAFE, UNSAFE, UNKNOWN), ["jmespath 1.1.0: PYSEC-1, fixed in 1.1.1 or 1.2.0"]),
    ],
)
def test_a_known_vulnerability_is_a_finding(report: Json, findings: list[str]) -> None:
    verdict = of_pip_audit(report, "")
    assert verdict != NO_DATA
    assert list(verdict.findings) == findings


@pytest.mark.parametrize(
    ("report", "errors"),
    [(audit(UNKNOWN), ""), (audit(), ""), (None, "requests.exceptions.ConnectionError: no such host")],
)
def test_without_data_no_package_is_judged_and_the_verdict_says_so(report: Json | None, errors: str) -> None:
    assert of_pip_audit(report, errors) == NO_DATA


def test_a_failure_of_pip_audit_itself_is_a_finding() -> None:
    assert of_pip_audit(None, "unrecognized arguments: --x\n").findings == ("unrecognized arguments: --x",)


@pytest.mark.parametrize(
    ("package", "exit_code", "printed"),
    [
        (SAFE, 0, "pip-audit: 1 of 1 packages judged"),
        (UNKNOWN, 0, NO_DATA.summary),
        (UNSAFE, 1, "pip-audit: 1 of 1 packages judged"),
    ],
)
def test_the_exit_code_is_that_of_the_findings(
    package: Json, exit_code: int, printed: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reports = {"bandit": bandit(), "checkov": checkov(PASSED), "pip-audit": audit(package)}
    for name, report in reports.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(report))}\n", encoding="utf-8")
        program.chmod(0o755)
    assert main(tmp_path) == exit_code
    out, _ = capfd.readouterr()
    assert out.splitlines()[-1] == printed
