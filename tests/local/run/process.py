"""`make run` as a process in a session of its own, which identifies every process that it starts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local.cloud.cloud import PROJECT
from tests.local.cloud.processes import living_processes
from tests.local.waiting import wait_for

COMMAND = (sys.executable, "-m", "tests.local.run")
COLUMNS = 80
REASONS = (
    "INVALID_REQUEST",
    "REQUEST_ID_REUSED",
    "REFUSED",
    "OUTCOME_UNKNOWN",
    "RATE_LIMITED",
    "NO_CREDITS",
    "EXPIRED",
)
# The environment of a shell that is set up for another account: the run has to ignore it.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "AWS_PROFILE": "another-account",
    "AWS_ENDPOINT_URL": "https://aws.invalid",
    "AWS_REGION": "eu-central-1",
    "HTTPS_PROXY": "http://proxy.invalid:3128",
    "http_proxy": "http://proxy.invalid:3128",
    "https_proxy": "http://proxy.invalid:3128",
}


@contextmanager
def started(folder: Path, port: int = 0) -> Iterator["subprocess.Popen[str]"]:
    """The run, in a session of its own."""
    environment = {**ENVIRONMENT, "TMPDIR": str(folder), "SONG_INTAKE_PORT": str(port)}
    with subprocess.Popen(
        COMMAND,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def assert_nothing_is_left(process: "subprocess.Popen[str] | subprocess.Popen[bytes]", folder: Path) -> None:
    assert list(folder.iterdir()) == []
    wait_for(lambda: not _living(process.pid), "the processes of the run to end", 5)


def _living(session: int) -> list[str]:
    return [one.command for one in living_processes() if _session_of(one.process_id) == session]


def _session_of(process_id: int) -> int | None:
    try:
        return os.getsid(process_id)
    except ProcessLookupError:
        return None
