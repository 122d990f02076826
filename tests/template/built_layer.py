"""A layer as `sam build` builds it: by its own Makefile, into the given folder."""

import shutil
import subprocess
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

from tests.template.transformed import PROJECT, shipped

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# The flags of a bytecode file (PEP 552): by hash, and loaded without checking the source.
UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def source_of(layer: str) -> Path:
    """The folder of a layer, by its logical id."""
    content_uri: str = shipped()["Resources"][layer]["Properties"]["ContentUri"]
    return PROJECT / content_uri


def build(layer: str, artifacts: Path) -> Path:
    """Build a layer with, and for, the Python that runs the tests; the folder that Lambda will unpack to /opt."""
    run = make(layer, artifacts, THIS_PYTHON)
    assert run.returncode == 0, run.stderr
    return artifacts


def make(layer: str, artifacts: Path, runtime_version: str) -> subprocess.CompletedProcess[str]:
    """Run the build with the Python that runs the tests, for functions of `runtime_version`."""
    program = shutil.which("make")
    assert program, "make is not installed"
    settings = [f"ARTIFACTS_DIR={artifacts}", f"PYTHON={sys.executable}", f"RUNTIME_VERSION={runtime_version}"]
    command = [program, f"build-{layer}", *settings]
    return subprocess.run(command, cwd=source_of(layer), capture_output=True, text=True, check=False)


def without_fresh_bytecode(site: Path) -> list[Path]:
    """The modules whose bytecode is missing, or would be compared with the source's time or content."""
    return [
        source
        for source in site.rglob("*.py")
        if not (bytecode := Path(cache_from_source(str(source)))).exists()
        or bytecode.read_bytes()[:8] != MAGIC_NUMBER + UNCHECKED_HASH
    ]
