"""A cold start: fresh interpreters that import the handler, compared with fresh ones that import only boto3.

Both have the path of a Lambda function: the layers as their Makefiles build them, and the function's folder.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.performance.designs import Design
from tests.performance.samples import Sample, Samples
from tests.performance.stub import PROJECT

FUNCTION = PROJECT / "functions/submit_song"
LAYERS = {"dependencies": "DependenciesLayer", "song_intake": "SongIntakeLayer"}

IMPORT = """import sys, time
sys.path[:0] = sys.argv[2:]
began, cpu = time.perf_counter(), time.process_time()
__import__(sys.argv[1])
print(time.perf_counter() - began, time.process_time() - cpu)"""


def built_layers(folder: Path) -> Path:
    """Build the layers for this interpreter into a folder like Lambda's /opt, with the packages in opt/python."""
    opt = folder / "opt"
    for source, layer in LAYERS.items():
        # SAM builds each layer separately; Lambda extracts all of them into one folder.
        built = folder / layer
        runtime = f"{sys.version_info.major}.{sys.version_info.minor}"
        command = ["make", f"build-{layer}", f"ARTIFACTS_DIR={built}", f"PYTHON={sys.executable}"]
        # Without a platform, pip installs wheels for this machine.
        command += [f"RUNTIME_VERSION={runtime}", "PLATFORMS="]
        subprocess.run(command, cwd=PROJECT / "layers" / source, check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(built, opt, dirs_exist_ok=True)
    return opt


def shipped_function(folder: Path) -> Path:
    """Copy the function's folder without the bytecode of this machine."""
    target = folder / "function"
    shutil.copytree(FUNCTION, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    return target


def cold_starts(path: Sequence[Path], environment: Mapping[str, str], rounds: range, bytecode: Path) -> Samples:
    """One start of each in every round. Rounds below 0 do not count: they fill the file cache of the machine, and the
    folder `bytecode` for boto3.
    """
    modules = {
        # Always with bytecode, so that a layer built without it shows as slow.
        Design.BOTO3: ("-X", f"pycache_prefix={bytecode}", "-c", IMPORT, "boto3"),
        # Only with the bytecode of the layers: on Lambda the disk is read-only.
        Design.OURS: ("-B", "-c", IMPORT, "submit_song"),
    }
    samples = [
        Sample(design, 0, number, *_start(command, path, environment))
        for number in rounds
        for design, command in modules.items()
    ]
    return Samples([sample for sample in samples if sample.round >= 0])


def _start(command: Sequence[str], path: Sequence[Path], environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one start. -I -S: only the given folders are on the path."""
    run = [sys.executable, "-I", "-S", *command, *map(str, path)]
    wall, cpu = subprocess.run(run, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(wall), float(cpu)
