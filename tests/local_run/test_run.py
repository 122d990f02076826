"""`make run` as its user has it: a program in a pipe or in a terminal, that ends cleanly whatever happens."""

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.cloud import PROJECT
from tests.local.intake import EVENTS
from tests.local.waiting import wait_for

COMMAND = (sys.executable, "-m", "tests.local.run")
COLUMNS = 100
STATUSES = ("SUBMITTED", "RETRYING", "REJECTED", "IN_DOUBT", "SUCCEEDED", "FAILED")
REASONS = ("INVALID_REQUEST", "REQUEST_ID_REUSED", "REFUSED", "OUTCOME_UNKNOWN", "RATE_LIMITED", "NO_CREDITS")
# A shell that is set up for another account, which must not matter.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "AWS_PROFILE": "of-another-account",
    "AWS_ENDPOINT_URL": "https://aws.invalid",
    "HTTPS_PROXY": "http://proxy.invalid:3128",
}


def test_without_a_terminal_it_shows_lines_sums_up_and_ends(tmp_path: Path) -> None:
    with _started(tmp_path) as process:
        output, errors = process.communicate(timeout=90)
        _assert_nothing_is_left(process, tmp_path)
    assert (process.returncode, errors) == (0, "")
    assert [line for line in output.splitlines() if not line.isprintable() or len(line) > COLUMNS] == []
    assert [word for word in (*STATUSES, *REASONS) if word not in output] == []
    samples = {path.name for path in EVENTS.iterdir()} - {"expected.json"}
    assert set(re.findall(r"^  (\S+)  .*  as expected$", output, re.MULTILINE)) == samples
    assert re.search(r"^songs paid for twice +0$", output, re.MULTILINE)
    assert re.search(r"^ends that no event told +0$", output, re.MULTILINE)
    assert re.search(r"^ +4 after IN_DOUBT$", output, re.MULTILINE), "settled by their webhooks"
    assert "Everything ended as expected." in output


def test_in_a_terminal_it_shows_a_table_and_stays_up_for_requests_of_ones_own(tmp_path: Path) -> None:
    with _started_in_a_terminal(tmp_path) as terminal:
        shown = terminal.read_until("The stack stays up until Ctrl-C.", seconds=90)
        assert re.search(r"request +status +task_id or reason +creates", shown)
        assert "67 of 67 ended" in shown
        assert "Everything ended as expected." in shown
        setup, of_the_cli, of_boto3, of_an_operator = _commands(shown)
        if shutil.which("aws"):
            _assert_a_song_has_clips(setup + of_the_cli)
        _assert_a_song_has_clips(setup + of_boto3)
        _assert_a_doubt_is_settled(setup, of_an_operator)
        terminal.process.send_signal(signal.SIGINT)
        assert "Interrupted; everything is stopped." in terminal.read_until("stopped.", seconds=10)
        assert terminal.process.wait(timeout=10) == 130
        _assert_nothing_is_left(terminal.process, tmp_path)


def test_a_taken_port_is_one_line_that_says_how_to_choose_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with _started(tmp_path, port) as process:
            _, errors = process.communicate(timeout=30)
            _assert_nothing_is_left(process, tmp_path)
    assert process.returncode == 1
    (line,) = errors.splitlines()
    assert f"port {port}" in line
    assert "SONG_INTAKE_PORT=0" in line


@pytest.mark.parametrize("stage", ["Starting a stand-in", "Starting SQS", "Deploying", "Sending the"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, stage: str) -> None:
    with _started(tmp_path) as process:
        assert process.stdout
        next(line for line in process.stdout if line.startswith(stage))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        _assert_nothing_is_left(process, tmp_path)
    assert (process.returncode, errors) == (130, "Interrupted; everything is stopped.\n")


@contextmanager
def _started(folder: Path, port: int = 0) -> Iterator["subprocess.Popen[str]"]:
    """The run in a session of its own, by which everything that it starts can be found."""
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


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a user sees of a process."""

    process: "subprocess.Popen[bytes]"
    end: int

    def read_until(self, text: str, seconds: float) -> str:
        """Everything shown from now to `text`, without colours and cursor movements."""
        shown = b""
        deadline = time.monotonic() + seconds
        while text.encode() not in shown:
            ready, _, _ = select.select([self.end], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} did not come within {seconds} s; the last of it: {shown[-2000:]!r}"
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


def _commands(shown: str) -> tuple[str, str, str, str]:
    """The four blocks that are to be pasted: the set-up, the AWS CLI's, boto3's, an operator's."""
    _, setup, of_the_cli, of_boto3, of_an_operator = re.split(
        r"\n(?:To send|Then, with|Or, with|Or settle)[^\n]*:\n\n", shown.partition("The stack stays")[0]
    )
    return setup, of_the_cli, of_boto3, of_an_operator


def _assert_a_song_has_clips(commands: str) -> None:
    """Pasted into a shell, again if the row was read while its song was being made: the id makes that harmless.

    Or if all dead letters were hidden, as they are for a while after each look at them.
    """

    def is_shown() -> bool:
        pasted = _pasted(commands)
        assert pasted.returncode == 0, pasted.stderr
        letters_are_shown = any(reason in pasted.stdout for reason in REASONS)
        return letters_are_shown and "SUCCEEDED" in pasted.stdout and "audio_url" in pasted.stdout

    wait_for(is_shown, "a song of one's own with its clips, and the dead letters", 30)


def _assert_a_doubt_is_settled(setup: str, of_an_operator: str) -> None:
    """By the word of the printed command, which is taken while the song is in doubt and refused once it has ended."""
    listing, _, word = of_an_operator.partition("--list\n")
    before = json.loads(_pasted(f"{setup}{listing}--list").stdout)["in_doubt"]
    pasted = _pasted(setup + listing.partition("\n")[0] + "\n" + word)
    assert pasted.returncode == 0, pasted.stdout + pasted.stderr
    answer = json.loads(pasted.stdout)
    assert answer["before"] in before
    assert (answer["before"]["status"], answer["after"]["status"]) == ("IN_DOUBT", "SUBMITTED")
    wait_for(lambda: _refusal(setup, of_an_operator, word), "the song to end", 30)


def _refusal(setup: str, of_an_operator: str, word: str) -> bool:
    pasted = _pasted(setup + of_an_operator.partition("\n")[0] + "\n" + word)
    return pasted.returncode == 1 and "the request is SUCCEEDED" in json.loads(pasted.stdout)["refused"]


def _pasted(commands: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-euc", commands], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
    )


def _assert_nothing_is_left(process: "subprocess.Popen[str] | subprocess.Popen[bytes]", folder: Path) -> None:
    assert list(folder.iterdir()) == []
    wait_for(lambda: not _living(process.pid), "the processes of the run to be gone", 5)


def _living(session: int) -> list[str]:
    columns = ["-o", "pid=", "-o", "stat=", "-o", "args="]
    listing = subprocess.run(["ps", "-A", *columns], capture_output=True, check=True, text=True)  # noqa: S607
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    return [row[-1] for row in rows if not row[1].startswith("Z") and _session_of(int(row[0])) == session]


def _session_of(process_id: int) -> int | None:
    try:
        return os.getsid(process_id)
    except ProcessLookupError:
        return None
