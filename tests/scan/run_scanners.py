"""`python -m tests.scan.run_scanners BIN`: bandit, checkov and pip-audit, one line each and one for each finding.

BIN is the folder of the scanners' programs. They have an environment of their own, so this runs without their packages.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.scan.verdict import NO_DATA, Json, Verdict, of_bandit, of_checkov, of_pip_audit

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "template.yaml"
# What is deployed, and what an operator runs. The rules of ruff are bandit's own, and judge the tests too.
CODE = ("functions", "layers")
# The pins of the local stack are among those of the tests. The scanners' own are left out: checkov decides on most of
# them, and they see nothing but this project.
PINS = ("layers/dependencies/requirements.txt", "tests/requirements.txt")
# The sources of pip-audit's data, each tried if the one before gives none.
SERVICES = ("pypi", "osv")
EXCEPTION = "# checkov:skip="


def main(programs: Path) -> int:
    """Print what every scanner found; 1 if any found something."""
    clean = True
    for verdict in verdicts(programs):
        print(verdict.summary, flush=True)  # noqa: T201
        for finding in verdict.findings:
            print(f"    {finding}", file=sys.stderr, flush=True)  # noqa: T201
        clean = clean and not verdict.findings
    return 0 if clean else 1


def verdicts(programs: Path) -> Iterator[Verdict]:
    """The verdict of each scanner as soon as it is known."""
    yield of_bandit(_report(programs / "bandit", "--recursive", *CODE, "--format", "json", "--quiet"))
    yield _checkov(programs)
    yield _pip_audit(programs)


def _checkov(programs: Path) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / TEMPLATE.name
        lines = TEMPLATE.read_text(encoding="utf-8").splitlines(keepends=True)
        bare.write_text("".join(line for line in lines if EXCEPTION not in line), encoding="utf-8")
        # Without --skip-download, checkov asks its vendor for more rules.
        options = ("--framework", "cloudformation", "--skip-download", "--output", "json")
        of_the_template, of_the_bare = (
            _report(programs / "checkov", "--file", str(file), *options) for file in (TEMPLATE, bare)
        )
    return of_checkov(of_the_template, of_the_bare, str(TEMPLATE))


def _pip_audit(programs: Path) -> Verdict:
    pins = [option for file in PINS for option in ("--requirement", file)]
    # Every package is pinned with its hashes, so nothing has to be resolved or installed.
    options = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "10")
    for service in SERVICES:
        run = _run(programs / "pip-audit", *pins, *options, "--vulnerability-service", service)
        verdict = of_pip_audit(json.loads(run.stdout) if run.stdout.strip() else None, run.stderr)
        if verdict != NO_DATA:
            return verdict
    return NO_DATA


def _report(program: Path, *arguments: str) -> Json:
    """A scanner's report. Its exit code is not needed: the report has the findings."""
    run = _run(program, *arguments)
    try:
        report: Json = json.loads(run.stdout)
    except ValueError:
        sys.exit(f"{program.name} wrote no report (exit code {run.returncode}): {run.stderr}")
    return report


def _run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
