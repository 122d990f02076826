"""The operators' program up to its first answer from AWS: what it reads, and its one line for a failure."""

import inspect
import io
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    InvalidRegionError,
    LoginRefreshRequired,
    MissingDependencyException,
    NoRegionError,
    TokenRetrievalError,
)

from song_intake.commands import stack
from song_intake.commands.__main__ import program
from song_intake.commands.failure_lines import failure_line
from song_intake.commands.letters import letters
from song_intake.commands.program import run
from song_intake.commands.rows import PUBLISHED, detail_lines
from song_intake.commands.stack import Target
from tests.local.contract import SCHEMAS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "song_intake"
SPAN = ["--since=2026-07-01T09:00:00Z", "--until=1782900000", "--reason=OUTCOME_UNKNOWN"]


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code and the only line of a command that fails."""
    code = run(program, words)
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert printed.out == ""
    return code, line


MISUSED = [
    (["shwo"], "no command 'shwo'; did you mean 'show'?"),
    (["letters", "discad"], "no command 'discad'; did you mean 'discard'?"),
    (["zzz"], "no command 'zzz'; there are send, show, wait, list"),
    (["--stak", "x", "list"], "No such option '--stak'. Did you mean '--stack'?"),
    (["list"], "name the stack: --stack NAME (for make: STACK=NAME)"),
    (["--stack=", "list"], "name the stack: --stack NAME (for make: STACK=NAME)"),
    (["show"], "Missing argument 'ID'"),
    (["show", "#intake"], "use 1 to 128 of the characters A-Z a-z 0-9 . _ : -, not '#intake'"),
    (["show", "a\n"], r"use 1 to 128 of the characters A-Z a-z 0-9 . _ : -, not 'a\n'"),
    (["list", "--status=DONE"], "use SUBMITTING, "),
    (["list", "--reason=refusd"], "use a reason code such as REFUSED, not 'refusd'"),
    *[
        (["list", f"--since={typed}"], "use a time in UTC such as 2026-07-01T09:30:00Z, or seconds since 1970, not")
        for typed in ("yesterday", "2026-07-01T09:00:00", "2026-07-01T09:00:00+02:00", "nan", "inf", "1e99")
    ],
    (["redrive", "--reason=birthday"], "use a reason code such as OUTCOME_UNKNOWN, not 'birthday'"),
    *[(["redrive", f"--limit={typed}"], "use a whole number above 0") for typed in ("0", "-1", "many", "1.5")],
    *[(["redrive", f"--older={typed}"], "use a number of hours") for typed in ("-1", "nan", "long")],
    (["redrive", "--dry-run=0"], "does not take a value"),
    (["send"], "give a FILE, - for the standard input, or --field NAME=VALUE"),
    (["send", "no-such-file"], "'no-such-file'"),
    (["send", "--field", "tilte=x"], "no field 'tilte'; did you mean 'title'?"),
    (["send", "--field", "title"], "use NAME=VALUE, not 'title'"),
    (["send", "--field", "weirdness=high"], "weirdness is a number in JSON, not 'high'"),
    (["send", "--field", "request_id=a b"], "not 'a b'"),
    (["send", "--field", "request_id="], "not ''"),
    (["letters", "discard"], "name the letters: MESSAGE_ID or --reason CODE"),
    *[
        (["letters", *option, "discard", "--reason=REFUSED", "--yes"], f"{option[0]} chooses nothing in front of")
        for option in (["--queue", "checks"], ["--reason", "REFUSED"], ["--limit", "1000"])
    ],
    (["resolve"], "use ID with --task or --not-created; or --since, --until, --reason and --not-created"),
    (["resolve", "r"], "use ID with either --task or --not-created"),
    (["resolve", "r", "--task=t", "--not-created"], "use ID with either"),
    (["resolve", "r", "--not-created", SPAN[0]], "use ID with either"),
    (["resolve", "--not-created", *SPAN[:2]], "use ID with --task"),
    (["resolve", "--not-created", *SPAN, "--task=t"], "use ID with --task"),
    (["resolve", *SPAN], "use ID with --task"),
    (["resolve", "--not-created", "--since=2", "--until=2", SPAN[2]], "--since must be before --until"),
    (["cancel"], "Missing argument 'ID'"),
    (["cancel", "r", "--list"], "No such option '--list'"),
    (["usage", "--day=yesterday"], "use a day such as 2026-07-01, not 'yesterday'"),
    (["intake", "of"], "'of' is not one of"),
    (["--words", "show 'r"], "the words of ARGS cannot be read: No closing quotation"),
    (["--words", "show 'r s'"], "not 'r s'"),
]


@pytest.mark.parametrize(("words", "text"), MISUSED, ids=[" ".join(words) for words, _ in MISUSED])
def test_a_command_that_is_not_understood_is_one_line_before_any_call(
    capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    code, line = error_of(capsys, *words)
    assert (code, line.startswith("Error: "), text in line) == (2, True, True), line


@pytest.mark.parametrize("body", [b"not JSON", b"[1]", b"\xff", b'{"a": 1, "a": 2}'])
def test_a_file_that_holds_no_request_is_not_sent(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, body: bytes
) -> None:
    (tmp_path / "song.json").write_bytes(body)
    code, line = error_of(capsys, "--stack=s", "send", str(tmp_path / "song.json"))
    assert (code, "song.json is no request" in line) == (2, True)


def test_no_region_no_credentials_and_no_profile_are_one_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert error_of(capsys, "--stack=s", "letters") == (
        1,
        "Error: no region: use --region, or set AWS_REGION, or the region of your profile",
    )
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    code, line = error_of(capsys, "--stack=s", "letters")
    assert (code, line[:41]) == (1, "Error: no AWS credentials: run `aws confi")
    code, line = error_of(capsys, "--stack=s", "--profile=nobodys", "letters")
    assert (code, "nobodys" in line) == (1, True)


def test_an_address_that_nobody_listens_on_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, line = error_of(capsys, "--stack=s", "--region=us-east-1", "intake")
    assert (code, line.startswith(f"Error: no connection to AWS ({url}")) == (1, True)


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "foo"), ("AWS_MAX_ATTEMPTS", "x")])
def test_a_setting_of_the_sdk_that_cannot_be_read_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(stack, "_PROMPT", Config())  # botocore keeps in a Config what it read for an earlier test
    monkeypatch.setenv(name, value)
    code, line = error_of(capsys, "--stack=s", "--region=us-east-1", "letters")
    assert (code, line.startswith("Error: a setting of the AWS SDK cannot be read"), value in line) == (1, True, True)


def test_a_region_in_no_form_of_a_region_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = error_of(capsys, "--stack=s", "--region=eu west", "letters")
    assert (code, "'eu west'" in line, "check --region" in line) == (1, True, True)


def _refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Scan")


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (_refused("ExpiredToken"), "AWS does not accept your credentials (ExpiredToken): they are expired or wrong"),
        (
            _refused("AccessDenied", "User: arn:x is not authorized to perform: dynamodb:Scan on resource: arn:y"),
            "you may not call dynamodb:Scan (AccessDenied): the stack's output OperatorPolicyArn",
        ),
        (_refused("AccessDeniedException"), "you may not call Scan (AccessDeniedException)"),
        (_refused("Throttling", "slow down"), "Scan failed (Throttling): slow down"),
        (EndpointConnectionError(endpoint_url="https://x"), "no connection to AWS (https://x)"),
        (NoRegionError(), "no region"),
        (InvalidRegionError(region_name="eu west"), "Provided region_name 'eu west' doesn't match a supported format"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "the AWS credentials cannot be read (TokenRetrie"),
        (LoginRefreshRequired(), "the AWS credentials cannot be read (LoginRefreshRequired): log in again"),
        (ConfigParseError(path="config"), "the call failed (ConfigParseError): Unable to parse config file: config"),
        (
            MissingDependencyException(msg="install\n  crt."),
            "the call failed (MissingDependencyException): Missing Depe",
        ),
    ],
)
def test_a_failed_call_is_one_line_with_what_to_do(failure: Exception, text: str) -> None:
    line = failure_line(failure)
    assert line.startswith(text)
    assert "\n" not in line


MISSING = ClientError({"Error": {"Code": "ValidationError", "Message": "s does not exist"}}, "DescribeStacks")


def _with_stacks(monkeypatch: pytest.MonkeyPatch, *names: str, failure: ClientError = MISSING) -> None:
    """CloudFormation that has these song intakes, and none that is asked for."""

    def describe_stacks(StackName: str | None = None) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName:
            raise failure
        return {"Stacks": [{"StackName": name, "Description": "Song intake. Reads ..."} for name in names]}

    session = type("Session", (), {"region_name": "eu-west-1"})()
    session.client = lambda *_, **__: type("Client", (), {"describe_stacks": staticmethod(describe_stacks)})()
    monkeypatch.setattr(Target, "session", session)


@pytest.mark.parametrize(
    ("names", "instead"),
    [
        (["song-intake", "other"], "; did you mean 'song-intake'?"),
        (["b", "a"], "; the song intakes are a, b"),
        ([], "; no stack there is a song intake"),
    ],
)
def test_a_stack_that_is_missing_is_one_line_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, names: list[str], instead: str
) -> None:
    _with_stacks(monkeypatch, *names)
    assert error_of(capsys, "show", "r", "--stack=song-intak") == (
        1,
        f"Error: there is no stack 'song-intak' in eu-west-1{instead}",
    )


def test_a_stack_that_the_operators_policy_does_not_name_may_be_a_typo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_stacks(monkeypatch, "song-intake", failure=_refused("AccessDenied"))
    code, line = error_of(capsys, "show", "r", "--stack=song-intak")
    assert (code, line[:78]) == (1, "Error: you may not describe a stack 'song-intak' in eu-west-1: check the name;")


def test_the_id_of_a_request_is_printed_before_it_is_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Queue:
        def send_message(self, **_message: str) -> None:
            self.printed = capsys.readouterr().out
            raise EndpointConnectionError(endpoint_url="https://sqs")

    queue = Queue()
    monkeypatch.setattr(Target, "sqs", queue)
    monkeypatch.setattr(Target, "outputs", {"SongRequestsQueueUrl": "url"})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"sound": "slow"}')))
    assert run(program, ["--stack=s", "send", "-"]) == 1
    assert f"send it again with --id {queue.printed.strip()}: it is one song" in capsys.readouterr().err


def test_the_trace_of_a_request_is_shown() -> None:
    assert list(detail_lines({"request_id": "order-1", "trace_id": "4bf9"})) == ["  trace_id: 4bf9"]


def test_rows_are_read_by_their_published_attributes() -> None:
    schema = json.loads(SCHEMAS["request_row"].read_text(encoding="utf-8"))
    assert list(PUBLISHED) == list(schema["properties"])


@pytest.mark.parametrize("command", [[], *([name] for name in program.commands), ["letters", "discard"]])
def test_each_help_has_examples_and_fits_80_columns(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert run(program, [*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Examples" in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def _words_of_examples() -> list[list[str]]:
    """Each example of each help, as words."""
    helps = [
        inspect.cleandoc(command.help or "") for command in (*program.commands.values(), *letters.commands.values())
    ]
    blocks = [text.partition("\b\n")[2].partition("\n\n")[0].replace("\\\n", "") for text in helps]
    lines = [line for block in blocks for line in block.splitlines()[1:]]
    return [shlex.split(line.partition(" < ")[0]) for line in lines]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


class StackWasAsked(Exception):
    """The command has read its words and its file, and asked what it asks."""


@pytest.mark.parametrize("words", _words_of_examples(), ids=" ".join)
def test_each_example_of_the_help_is_understood(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    def described(_: Target) -> None:
        raise StackWasAsked

    typed = b'{"sound": "slow"}' if "-" in words else b"y\n"
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(typed)))
    monkeypatch.setattr(Target, "described", property(described))
    monkeypatch.setattr(Target, "caller", "arn:operator")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(StackWasAsked):
        run(program, ["--stack=s", *words])


def test_there_is_an_example_of_each_command() -> None:
    assert {words[0] for words in _words_of_examples()} == set(program.commands)


def test_the_program_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, []) == 2
    assert "Commands:" in capsys.readouterr().err


def _started(*words: str, **environment: str) -> "subprocess.Popen[bytes]":
    # A shell's background job, and what it starts, ignores Ctrl-C. An operator's program in a terminal does not.
    heeding = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    program = [sys.executable, "-m", "song_intake.commands", *words]
    return subprocess.Popen(
        [sys.executable, "-c", heeding, *program],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_goes_away_ends_the_program_quietly() -> None:
    with _started("--help") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.wait(timeout=30), process.stderr.read()) == (141, b"")


@pytest.mark.parametrize(("closed", "errors"), [("<&-", True), (">&-", True), ("2>&-", False), ("<&- >&- 2>&-", False)])
def test_streams_that_are_closed_end_nothing(closed: str, errors: bool) -> None:  # noqa: FBT001
    command = f'"{sys.executable}" -m song_intake.commands --stack=s --region=us-east-1 cancel r {closed}'
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    lines = ["Error: there is no terminal to confirm this in: use --yes (for make: YES=1). Nothing was changed."]
    assert (ended.returncode, ended.stdout, ended.stderr.splitlines()) == (1, "", lines if errors else [])


def test_ctrl_c_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": url}
        with _started("--stack=s", "--region=us-east-1", "letters", **keys) as process:
            silent.settimeout(30)
            connection, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            connection.close()
    assert (process.returncode, errors) == (130, b"Interrupted.\n")


def test_all_but_the_doctor_need_only_boto3_and_click() -> None:
    """The program starts without the packages of the functions, and the doctor names what it lacks."""
    script = """
import sys
for name in ("aws_lambda_powertools", "jsonschema_rs", "requests"):
    sys.modules[name] = None
from song_intake.commands.__main__ import program
from song_intake.commands.program import run
sys.exit(run(program, ["--stack=s", "doctor"]))
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: the doctor also needs ")
