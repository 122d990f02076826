"""Runs an operator's make target up to its command: a program in place of Python records the arguments."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.local.cloud.cloud import PROJECT

_RECORDER = """#!{python}
import json, pathlib, sys
pathlib.Path({record!r}).write_text(json.dumps(sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class OperatorMake:
    """`make` with a virtual environment of its own in `folder`, whose Python only records its arguments."""

    folder: Path

    def arguments(self, target: str, *typed: str, **variables: str) -> list[str]:
        """What the command gets from `make TARGET typed...`, with these variables in the environment."""
        record = self.folder / "arguments.json"
        self._install_recorder(record)
        command = ["make", "--no-print-directory", f"VENV={self.folder}", target, *typed]
        # Not the rest of the environment: `make test` exports the same variables to this test.
        environment = {"PATH": os.environ["PATH"], **variables}
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
        arguments: list[str] = json.loads(record.read_text(encoding="utf-8"))
        return arguments

    def _install_recorder(self, record: Path) -> None:
        python = self.folder / "bin" / "python"
        python.parent.mkdir(exist_ok=True)
        python.write_text(_RECORDER.format(python=sys.executable, record=str(record)), encoding="utf-8")
        python.chmod(0o755)
        (self.folder / ".ops").touch()
