"""What a scanner found, in one line and a list. A scanner that judged nothing has failed, too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# A scanner's report is JSON in its own format.
Json = dict[str, Any]

# How pip-audit ends without an answer of the service. Every other end without a report is a failure.
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError", "HTTPError")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One scanner's result. Without findings, it is clean."""

    summary: str
    findings: tuple[str, ...] = ()


NO_DATA = Verdict("pip-audit: no data about vulnerabilities can be reached from here, so no package was judged")


def of_bandit(report: Json) -> Verdict:
    """What bandit found in the code. Each exception in the code has to name its test."""
    totals = report["metrics"]["_totals"]
    findings = [
        f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}"
        for found in report["results"]
    ]
    findings += [f"{error['filename']}: {error['reason']}" for error in report["errors"]]
    if not totals["loc"]:
        findings.append("bandit read no code")
    if totals["nosec"]:
        findings.append(f"{totals['nosec']} `nosec` without the id of a test")
    return Verdict(f"bandit: {totals['loc']} lines, {totals['skipped_tests']} exceptions", tuple(findings))


def of_checkov(report: Json, bare: Json, template: str) -> Verdict:
    """What checkov found in the template.

    `bare` is checkov's report on the same template without exceptions: an exception that it does not need is a finding.
    """
    if "results" not in report:
        return Verdict("checkov: no checks", ("checkov ran no checks",))
    passed, failed, excepted = (report["results"][f"{kind}_checks"] for kind in ("passed", "failed", "skipped"))
    checks = [*passed, *failed, *excepted]
    findings = [f"{check['file_path']}: not {template}" for check in checks if check["file_abs_path"] != template]
    findings += [f"{path}: cannot be parsed" for path in report["results"]["parsing_errors"]]
    findings += [f"{_place(check)} {check['check_name']}" for check in failed]
    findings += [f"{_place(check)} is excepted without a reason" for check in excepted if not _reason(check)]
    needed = {_place(check) for check in bare.get("results", {}).get("failed_checks", [])}
    findings += [f"{_place(check)} passes and needs no exception" for check in excepted if _place(check) not in needed]
    if not passed:
        findings.append("checkov passed nothing")
    ids = _in_order({check["check_id"] for check in checks})
    resources = {check["resource"] for check in checks}
    summary = (
        f"checkov: {len(checks)} checks of {len(resources)} resources, {len(passed)} passed, "
        f"{len(excepted)} exceptions: {' '.join(ids)}"
    )
    return Verdict(summary, tuple(findings))


def of_pip_audit(report: Json | None, errors: str) -> Verdict:
    """What pip-audit found in the pinned packages, from its report, or from its error output if it wrote none.

    Without data about vulnerabilities nothing can be found: the verdict is NO_DATA, which is clean.
    """
    if report is None:
        reached = not any(name in errors for name in UNREACHABLE)
        return Verdict("pip-audit: no report", (errors.strip() or "no output",)) if reached else NO_DATA
    judged = [package for package in report["dependencies"] if "skip_reason" not in package]
    if not judged:
        return NO_DATA
    findings = tuple(
        f"{package['name']} {package['version']}: {found['id']}, "
        f"fixed in {' or '.join(found['fix_versions']) or 'no release'}"
        for package in judged
        for found in package["vulns"]
    )
    return Verdict(f"pip-audit: {len(judged)} of {len(report['dependencies'])} packages judged", findings)


def _place(check: Json) -> str:
    return f"{check['resource']}: {check['check_id']}"


def _reason(check: Json) -> str:
    reason = (check["check_result"].get("suppress_comment") or "").strip()
    return "" if reason == "No comment provided" else reason


def _in_order(ids: Iterable[str]) -> list[str]:
    return sorted(ids, key=lambda one: (len(one), one))
