"""A layer as `sam build` makes it: its own Makefile, told where to put what it makes."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.template.transformed import PROJECT, shipped


def source_of(layer: str) -> Path:
    """The folder of a layer, by its logical id."""
    content_uri: str = shipped()["Resources"][layer]["Properties"]["ContentUri"]
    return PROJECT / content_uri


def build(layer: str, artifacts: Path) -> Path:
    """Build a layer with the Python that runs the tests; the folder that Lambda will unpack to /opt."""
    make = shutil.which("make")
    assert make, "make is not installed"
    command = [make, f"build-{layer}", f"ARTIFACTS_DIR={artifacts}", f"PYTHON={sys.executable}"]
    run = subprocess.run(command, cwd=source_of(layer), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return artifacts
