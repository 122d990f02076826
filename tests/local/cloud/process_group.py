"""A process that takes all its descendants along when it ends."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.local.cloud.processes import Process, living_processes
from tests.local.waiting import wait_for

SECONDS_TO_END = 5.0


class ProcessGroup:
    """One command in a process group of its own, its output in a file.

    Its stdin is a pipe that nobody writes to: it closes when this process ends, whatever ended it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], working_folder: Path, log: Path) -> None:
        with log.open("wb") as output:
            self._leader = subprocess.Popen(
                command,
                env=environment,
                cwd=working_folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def is_running(self) -> bool:
        return self._leader.poll() is None

    def members(self) -> list[Process]:
        """The living processes of the group, the leader among them."""
        return [process for process in living_processes() if process.group == self._leader.pid]

    def end(self) -> None:
        """Ends every process of the group at once, and returns when the last one is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._leader.pid, signal.SIGKILL)
        wait_for(self._is_gone, "the killed processes to end", SECONDS_TO_END)
        if self._leader.stdin:
            self._leader.stdin.close()

    def _is_gone(self) -> bool:
        return self._leader.poll() is not None and not self.members()
