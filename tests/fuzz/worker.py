"""One target under atheris, which keeps the inputs that reach new code, until so many executions or the first failure.

    python -m tests.fuzz.worker TARGET EXECUTIONS FOLDER

FOLDER keeps the inputs between runs (`corpus`) and the input that failed.
"""

import sys
from pathlib import Path

import atheris

LONGEST_INPUT = 4_096
SECONDS_AN_INPUT = 20
MEGABYTES = 2_048


def main(name: str, executions: str, folder: str) -> None:
    """Ends the process."""
    with atheris.instrument_imports(include=["song_intake"]):
        from tests.fuzz.targets import DICTIONARY, SEEDS, TARGETS, no_waiting  # noqa: PLC0415 - instrumented
    target = TARGETS[name]
    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    options = {
        "runs": executions,
        "max_len": LONGEST_INPUT,
        "timeout": SECONDS_AN_INPUT,
        "rss_limit_mb": MEGABYTES,
        "dict": DICTIONARY,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
        "verbosity": 1,
    }
    seeds = [str(path) for path in (SEEDS / name, target.samples) if path and path.is_dir()]
    atheris.Setup(
        [sys.argv[0], *(f"-{option}={value}" for option, value in options.items()), str(corpus), *seeds],
        target.check,
    )
    with no_waiting():
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
