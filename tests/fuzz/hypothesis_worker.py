"""One target under Hypothesis, where there is no atheris. The smallest input that failed is saved.

python -m tests.fuzz.hypothesis_worker TARGET EXECUTIONS FOLDER
"""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

from tests.fuzz.mutated import hold
from tests.fuzz.targets import TARGETS, no_waiting


def main(name: str, executions: str, folder: str) -> None:
    """Raises what the target raised for the input that is saved."""
    target, failed = TARGETS[name], [b""]
    count = 0

    def check(data: bytes) -> None:
        nonlocal count
        count += 1
        failed[0] = data
        target.check(data)

    try:
        with no_waiting():
            hold(replace(target, check=check), int(executions), is_random=True)
    except BaseException:
        # Hypothesis executes the smallest failing input last.
        path = Path(folder) / f"crash-{hashlib.sha256(failed[0]).hexdigest()[:16]}"
        path.write_bytes(failed[0])
        raise
    finally:
        print(f"stat::number_of_executed_units: {count}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
