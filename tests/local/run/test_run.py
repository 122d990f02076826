"""`make run` from its user's view: a program that writes to a pipe and always exits cleanly."""

import re
import signal
import socket
from pathlib import Path

import pytest

from tests.local.intake import EVENTS
from tests.local.run.process import COLUMNS, REASONS, assert_nothing_is_left, started

STATUSES = ("SUBMITTED", "RETRYING", "REJECTED", "IN_DOUBT", "SUCCEEDED", "FAILED")


def test_without_a_terminal_it_prints_lines_and_a_summary_and_exits(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        output, errors = process.communicate(timeout=150)
        assert_nothing_is_left(process, tmp_path)
    assert (process.returncode, errors) == (0, ""), output
    assert [line for line in output.splitlines() if not line.isprintable() or len(line) > COLUMNS] == []
    assert [word for word in (*STATUSES, *REASONS) if word not in output] == []
    samples = {path.name for path in EVENTS.iterdir() if path.suffix in (".json", ".txt")} - {"expected.json"}
    assert set(re.findall(r"^  (\S+)  .*  as expected$", output, re.MULTILINE)) == samples
    assert re.search(r"^songs paid for twice +0$", output, re.MULTILINE)
    assert re.search(r"^final statuses without an event +0$", output, re.MULTILINE)
    # Resolved by their webhooks: the planned ones, and on a busy machine another whose answer came too late.
    assert sum(map(int, re.findall(r"^ +(\d+) after IN_DOUBT$", output, re.MULTILINE))) >= 7
    assert re.search(r"^songs with their recordings +\d+ \(and 0 without\)$", output, re.MULTILINE)
    assert re.search(r"^The recordings are in s3://\S+/songs/$", output, re.MULTILINE)
    assert "Everything ended as expected." in output


def test_a_port_in_use_is_one_line_that_names_the_variable_for_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with started(tmp_path, port) as process:
            _, errors = process.communicate(timeout=30)
            assert_nothing_is_left(process, tmp_path)
    assert process.returncode == 1
    (line,) = errors.splitlines()
    assert f"port {port}" in line
    assert "SONG_INTAKE_PORT=0" in line


def test_a_reader_that_closes_the_pipe_ends_the_run_without_a_word(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=30) == 128 + signal.SIGPIPE
        assert_nothing_is_left(process, tmp_path)
    assert errors == ""


@pytest.mark.parametrize("stage", ["Starting a stand-in", "Starting SQS", "Deploying", "Sending the"])
def test_an_interrupted_run_leaves_no_process_and_no_file(tmp_path: Path, stage: str) -> None:
    with started(tmp_path) as process:
        assert process.stdout
        next(line for line in process.stdout if line.startswith(stage))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert_nothing_is_left(process, tmp_path)
    assert (process.returncode, errors) == (130, "Interrupted; everything is stopped.\n")
