"""The operators' program on a deployed stack, by a user that has the exported policy of operators and no other."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from song_intake.commands.__main__ import program
from song_intake.commands.alarm_check import check_alarms
from song_intake.commands.checkup import Verdict, examine
from song_intake.commands.deployed import Waiting, described_stack
from song_intake.commands.ledger_checks import check_batched_writes, check_role
from song_intake.commands.program import run
from song_intake.commands.stack import Target
from song_intake.commands.stack_checks import check_functions, check_template, check_token
from tests.end_to_end.songs import new_id, song
from tests.local.cloud.aws_clients import REGION
from tests.local.intake import Intake
from tests.local.waiting import wait_for

Operate = Callable[..., tuple[int, str, str]]
"""Runs the program with these words. Returns the exit code, the answer and the notes."""


@pytest.fixture
def as_operator(tracking: Intake, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the operator."""
    iam, name = tracking.cloud.client("iam"), new_id("operator")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=tracking.stack.outputs["OperatorPolicyArn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    for variable, value in tracking.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    # boto3 itself reads only AWS_DEFAULT_REGION.
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", REGION)
    return name


@pytest.fixture
def operate(as_operator: str, tracking: Intake, capsys: pytest.CaptureFixture[str]) -> Operate:
    def operate(*words: str) -> tuple[int, str, str]:
        code = run(program, ["--stack", tracking.stack.name, *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return operate


def _answer(operate: Operate, *words: str) -> Any:
    """The answer of a command that must succeed, as JSON."""
    code, answer, notes = operate(*words, "--json")
    assert code == 0, notes
    return json.loads(answer)


def test_a_request_is_sent_waited_for_shown_and_listed(operate: Operate, tracking: Intake) -> None:
    code, sent, notes = operate("send", "--field", "title=Sent by Hand", "--field", "sound=slow folk")
    request_id = sent.strip()
    assert (code, request_id[:5]) == (0, "song-")
    assert notes.splitlines()[0] == f"{tracking.stack.name} in account 000000000000, {REGION}"
    assert "sent as message " in notes
    code, waited, _ = operate("wait", request_id, "--seconds", "60")
    assert code == 0
    assert waited.startswith("SUCCEEDED   20")
    assert f"Z  {request_id}\n  task_id: " in waited
    wait_for(lambda: "recordings" in _answer(operate, "show", request_id), "the recordings to be kept")
    waited = operate("show", request_id)[1]
    row = _answer(operate, "show", request_id)
    assert row["clips"][0]["audio_url"] in waited
    assert not {"fingerprint", "task_tokens"} & row.keys()
    code, listed, notes = operate("list", "--status", "succeeded", "--since", row["updated_at"])
    assert (code, waited.splitlines()[0] in listed.splitlines()) == (0, True)
    assert "reading up to 10,000 rows" in notes


def test_what_is_not_there_or_not_ended_in_time_has_its_own_exit_code(operate: Operate) -> None:
    code, answer, notes = operate("show", "no-such-request")
    assert (code, answer) == (1, "")
    assert "no request no-such-request: it may wait in the queue" in notes.splitlines()[-1]
    code, answer, notes = operate("wait", "no-such-request", "--seconds", "1")
    assert (code, answer) == (3, "")
    assert (
        notes.splitlines()[-1]
        == "no-such-request has not ended within 1 s: it is not in the ledger yet (was it refused? see letters)"
    )


def test_letters_are_listed_redriven_and_discarded(operate: Operate, tracking: Intake) -> None:
    for request_id in (new_id("bad"), new_id("bad")):
        assert operate("send", "--field", "weirdness=2", "--id", request_id)[0] == 0
    wait_for(lambda: len(tracking.letters()) == 2, "two dead letters")
    code, listed, notes = operate("letters", "--reason", "INVALID_REQUEST")
    assert (code, len(listed.splitlines()), notes.splitlines()[-1]) == (0, 2, "2 dead letters")
    assert f" s  INVALID_REQUEST  {request_id}  " in listed
    assert all(len(line) <= 80 for line in listed.splitlines())
    assert operate("redrive", "--dry-run")[1].splitlines() == [
        "requests: 2 (INVALID_REQUEST 2), 2 selected",
        "checks: 0, 0 selected",
        "recordings: 0, 0 selected",
    ]
    one, other = tracking.letters()
    assert operate("letters", "discard", one.message_id, "no-such-letter", "--yes")[0] == 1
    discarded = _answer(operate, "letters", "discard", one.message_id, "--yes")
    assert (discarded["discarded"], discarded["letters"][0]["body"]) == (1, one.body)
    assert [letter.message_id for letter in tracking.letters()] == [other.message_id]


def test_a_doubt_is_listed_by_the_index_and_resolved_after_a_question(operate: Operate, tracking: Intake) -> None:
    request_id, long_ago = new_id("doubt"), datetime.now(UTC) - timedelta(hours=1)
    tracking.cloud.client("dynamodb").put_item(
        TableName=tracking.table,
        Item={
            **{name: {"S": "x"} for name in ("fingerprint", "owner", "message_id", "first_message_id")},
            "request_id": {"S": request_id},
            "status": {"S": "IN_DOUBT"},
            "doubt": {"S": "IN_DOUBT"},
            "reason": {"S": "OUTCOME_UNKNOWN"},
            "created_at": {"S": long_ago.isoformat(timespec="milliseconds")},
            "updated_at": {"S": long_ago.isoformat(timespec="milliseconds")},
        },
    )
    code, listed, notes = operate("list", "--status", "IN_DOUBT", "--reason", "OUTCOME_UNKNOWN")
    line = f"IN_DOUBT    {long_ago:%Y-%m-%dT%H:%M:%SZ}  {request_id}  OUTCOME_UNKNOWN"
    assert (code, line in listed.splitlines(), "reading" in notes) == (0, True, False)
    assert operate("resolve", request_id, "--not-created")[0] == 1
    span = (f"--since={long_ago:%Y-%m-%dT%H:%M:%SZ}", f"--until={long_ago.timestamp() + 1}", "--reason=OUTCOME_UNKNOWN")
    code, listed, notes = operate("resolve", *span, "--not-created")
    assert (code, listed, "use --yes" in notes) == (1, f"{line}\n", True)
    assert tracking.row(request_id)["status"] == "IN_DOUBT"
    code, resolved, _ = operate("resolve", "--not-created", "--yes", "--", request_id)
    assert (code, resolved.startswith(f"{request_id}  IN_DOUBT -> REJECTED  20")) == (0, True)
    code, _, notes = operate("resolve", request_id, "--task", "d8b5")
    assert (code, notes.splitlines()[-1]) == (
        1,
        f"Error: {request_id} was not resolved: the request is REJECTED: only one in doubt can be resolved",
    )


def test_a_request_is_cancelled_before_it_comes(operate: Operate) -> None:
    request_id = new_id("cancelled-by-hand")
    assert operate("cancel", request_id)[0] == 1
    for _ in range(2):
        code, line, _ = operate("cancel", request_id, "--yes")
        assert (code, line.startswith("REJECTED    20"), line.endswith(f"Z  {request_id}  CANCELLED\n")) == (
            0,
            True,
            True,
        )


def test_the_creates_of_a_day_are_shown_and_the_intake_is_shown_and_switched(operate: Operate) -> None:
    assert operate("usage")[:2] == (0, "No creates are counted: set CreatesPerDay or CreatesPerDayAndSender.\n")
    assert _answer(operate, "intake", "on")["mapping"] == "Enabled"
    shown = operate("intake")[1]
    assert shown.startswith("Enabled; on since 20")
    assert "user/operator-" in shown
    assert shown.endswith(" credits\n")


def test_a_stack_that_the_policy_does_not_name_is_one_line_that_asks_for_its_name(
    operate: Operate, tracking: Intake
) -> None:
    other = tracking.stack.name.upper()
    code = run(program, ["--stack", other, "letters"])
    assert code == 1
    _, _, notes = operate("--help")
    (line,) = notes.splitlines()
    assert line.startswith(f"Error: you may not describe a stack '{other}' in {REGION}: check the name;")


def test_a_second_policy_lets_the_doctor_read_and_test_its_own_things(as_operator: str, tracking: Intake) -> None:
    policy = tracking.stack.outputs["DoctorPolicyArn"]
    tracking.cloud.client("iam").attach_user_policy(UserName=as_operator, PolicyArn=policy)
    stack = described_stack(Target(stack=tracking.stack.name, region=REGION), Waiting(20.0, 30.0, 0.1), lambda *_: 200)
    for check in (check_template, check_functions, check_token, check_batched_writes, check_role, check_alarms):
        finding = examine(partial(check, stack))
        assert finding.verdict is Verdict.OK, finding


def test_a_request_is_sent_from_a_file(operate: Operate, tmp_path: Any) -> None:
    request_id = new_id("file")
    (tmp_path / "song.json").write_text(json.dumps(song("From a File", request_id=request_id)), encoding="utf-8")
    assert _answer(operate, "send", str(tmp_path / "song.json"))["request_id"] == request_id
    assert operate("wait", request_id)[0] == 0
    assert "stopped after 1 row, and there are more: use --read above 1" in operate("list", "--read", "1")[2]
