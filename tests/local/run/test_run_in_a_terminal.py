"""`make run` in a terminal: it shows a table, and the stack stays up for the user's own requests."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.cloud.cloud import PROJECT
from tests.local.run.process import COLUMNS, COMMAND, ENVIRONMENT, REASONS, assert_nothing_is_left
from tests.local.waiting import wait_for


@pytest.mark.slow
@pytest.mark.timeout(300)  # the whole run, then what its user does: 75 s beside three other workers
def test_in_a_terminal_it_shows_a_table_and_stays_up_for_the_users_own_requests(tmp_path: Path) -> None:
    with _started_in_a_terminal(tmp_path) as terminal:
        shown = terminal.read_until("The stack stays up until you press Ctrl-C.", seconds=150)
        assert re.search(r"request +status +task_id or reason +creates", shown)
        assert re.search(r"\b(\d+) of \1 ended", shown)
        assert "Everything ended as expected." in shown
        setup, of_the_cli, of_boto3, listing, of_an_operator, cancelling = _commands(shown)
        if shutil.which("aws"):
            _assert_a_song_has_clips(setup + of_the_cli)
            assert "songs/" in _pasted(setup + listing).stdout
        _assert_a_song_has_clips(setup + of_boto3)
        _assert_an_operator_can_resolve(setup, of_an_operator)
        _assert_an_operator_can_cancel(setup + of_an_operator.partition("\n")[0] + "\n" + cancelling)
        os.write(terminal.end, b"\x03")
        terminal.read_until("Stopping everything", seconds=10)
        assert terminal.process.wait(timeout=10) == 0
        assert_nothing_is_left(terminal.process, tmp_path)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A process in a terminal, and the user's end of the terminal."""

    process: "subprocess.Popen[bytes]"
    end: int

    def read_until(self, text: str, seconds: float) -> str:
        """The output from now to `text`, without colours and cursor movements."""
        shown = b""
        deadline = time.monotonic() + seconds
        while text.encode() not in shown:
            ready, _, _ = select.select([self.end], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} was not printed within {seconds} s; the last output: {shown[-2000:]!r}"
            shown += os.read(self.end, 65_536)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")


@contextmanager
def _started_in_a_terminal(folder: Path) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (40, COLUMNS))
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "TMPDIR": str(folder), "SONG_INTAKE_PORT": "0"}
    try:
        with subprocess.Popen(
            COMMAND, cwd=PROJECT, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
        ) as process:
            try:
                yield Terminal(process, ours)
            finally:
                process.terminate()
    finally:
        os.close(its)
        os.close(ours)


def _commands(shown: str) -> tuple[str, str, str, str, str, str]:
    """The blocks to paste: the set-up, for the AWS CLI, for boto3, for a list of the recordings, and for an operator
    who resolves and who cancels.
    """
    _, setup, of_the_cli, of_boto3, listing, of_an_operator, cancelling = re.split(
        r"\n(?:To send|Then send|Or do|The recordings|To resolve|To cancel)[^:]*:\n\n",
        shown.partition("The stack stays")[0],
    )
    return setup, of_the_cli, of_boto3, listing, of_an_operator, cancelling


def _assert_an_operator_can_cancel(commands: str) -> None:
    for before in (None, "REJECTED"):
        answer = json.loads(_pasted(commands).stdout)
        assert (answer["before"] and answer["before"]["status"]) == before
        assert (answer["after"]["reason"], answer["is_cancelled"]) == ("CANCELLED", True)


def _assert_a_song_has_clips(commands: str) -> None:
    """Pastes the commands into a shell until the row has its clips and dead letters are visible.

    Repeating them is harmless, because the request has an id. Dead letters are hidden for a while after each receive.
    """

    def is_shown() -> bool:
        pasted = _pasted(commands)
        assert pasted.returncode == 0, pasted.stderr
        letters_are_shown = any(reason in pasted.stdout for reason in REASONS)
        return letters_are_shown and "SUCCEEDED" in pasted.stdout and "audio_url" in pasted.stdout

    wait_for(is_shown, "the clips of the user's song, and the dead letters", 30)


def _assert_an_operator_can_resolve(setup: str, of_an_operator: str) -> None:
    """The printed command is accepted while the request is IN_DOUBT and rejected once the song has ended."""
    listing, _, command = of_an_operator.partition("IN_DOUBT\n")
    request_id = command.split()[-3]
    listed = _pasted(f"{setup}{listing}IN_DOUBT").stdout
    assert re.search(rf"^IN_DOUBT +\S+Z  {re.escape(request_id)}  ", listed, flags=re.MULTILINE), listed
    pasted = _pasted(setup + listing.partition("\n")[0] + "\n" + command)
    assert pasted.returncode == 0, pasted.stdout + pasted.stderr
    assert pasted.stdout.startswith(f"{request_id}  IN_DOUBT -> SUBMITTED  ")
    wait_for(lambda: _is_rejected(setup, of_an_operator, command), "the song to end", 30)


def _is_rejected(setup: str, of_an_operator: str, command: str) -> bool:
    pasted = _pasted(setup + of_an_operator.partition("\n")[0] + "\n" + command)
    return pasted.returncode == 1 and "was not resolved: the request is SUCCEEDED" in pasted.stderr


def _pasted(commands: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-euc", commands], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
    )
