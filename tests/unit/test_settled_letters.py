"""What `resolve`, `cancel` and `letters` do with the dead letters: which they discard, and how far they read."""

import io
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from song_intake.commands import dead_letter_queue, manual_decision
from song_intake.commands import letters as letters_command
from song_intake.commands.__main__ import program
from song_intake.commands.program import run
from song_intake.commands.stack import Target
from song_intake.domain.reason import Reason

TASK, NOT_CREATED, CANCEL = (
    ("resolve", "r", "--task=t"),
    ("resolve", "r", "--not-created", "--yes"),
    ("cancel", "r", "--yes"),
)


class Queue:
    """SQS with one queue of dead letters: (message id, request_id, reason). `fails`: the call that AWS refuses."""

    def __init__(self, *letters: tuple[str, str, str], fails: str = "") -> None:
        self.letters, self.hidden, self.fails = list(letters), set[str](), fails

    def receive_message(self, *, MaxNumberOfMessages: int, **_: object) -> dict[str, Any]:  # noqa: N803
        if self.fails == "receive":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "ReceiveMessage")
        seen = [one for one in self.letters if one[0] not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= {message_id for message_id, _, _ in seen}
        return {"Messages": [self._message(*one) for one in seen]}

    def _message(self, message_id: str, request_id: str, reason: str) -> dict[str, Any]:
        is_moved_by_sqs = reason == Reason.UNFORESEEN
        return {
            "MessageId": message_id,
            "ReceiptHandle": message_id,
            "Body": "{}",
            "Attributes": {
                "SentTimestamp": str(int(time.time() * 1000)),
                **({"DeadLetterQueueSourceArn": "arn"} if is_moved_by_sqs else {}),
            },
            "MessageAttributes": {
                "request_id": {"StringValue": request_id},
                # A sender may use the same names.
                "reason": {"StringValue": Reason.OUTCOME_UNKNOWN if is_moved_by_sqs else reason},
            },
        }

    def delete_message_batch(self, *, Entries: list[dict[str, str]], **_: object) -> dict[str, Any]:  # noqa: N803
        if self.fails == "delete":
            return {"Failed": Entries}
        gone = {entry["ReceiptHandle"] for entry in Entries}
        self.letters = [one for one in self.letters if one[0] not in gone]
        return {"Successful": Entries}

    def change_message_visibility_batch(self, *, Entries: list[dict[str, str]], **_: object) -> None:  # noqa: N803
        self.hidden -= {entry["ReceiptHandle"] for entry in Entries}

    @property
    def ids(self) -> list[str]:
        return [message_id for message_id, _, _ in self.letters]


class ResolveSong:
    def __init__(self, **response: object) -> None:
        row = {"request_id": "r", "status": "IN_DOUBT", "changed_at": 1782900000.0, "reason": "CANCELLED"}
        self.response = response or {"before": row, "after": {**row, "status": "REJECTED"}}
        self.event: dict[str, object] = {}

    def invoke(self, *, Payload: str, **_: object) -> dict[str, Any]:  # noqa: N803
        self.event = json.loads(Payload)
        return {"Payload": io.BytesIO(json.dumps(self.response).encode())}


def operate(monkeypatch: pytest.MonkeyPatch, queue: Queue, *words: str, function: ResolveSong | None = None) -> int:
    outputs = {"ResolveSongFunctionName": "resolve_song", "DeadLetterQueueUrl": "url"}
    given = {"outputs": outputs, "sqs": queue, "functions": function or ResolveSong(), "caller": "arn:operator"}
    for name, value in given.items():
        monkeypatch.setattr(Target, name, value)
    return run(program, ["--stack=s", *words])


LETTERS = [(reason.value, "r", reason.value) for reason in Reason]


@pytest.mark.parametrize(
    ("words", "discarded"),
    [
        (TASK, {Reason.OUTCOME_UNKNOWN}),
        (NOT_CREATED, set()),
        (
            CANCEL,
            {Reason.OUTCOME_UNKNOWN, Reason.REFUSED, Reason.RETRIES_EXHAUSTED, Reason.EXPIRED, Reason.CANCELLED},
        ),
    ],
)
def test_only_the_letters_of_this_request_that_are_dealt_with_are_discarded(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], discarded: set[Reason]
) -> None:
    others = [(f"other {reason}", "r2", reason.value) for reason in Reason]
    queue = Queue(*others, *LETTERS)
    assert operate(monkeypatch, queue, *words) == 0
    assert {reason.value for reason in Reason} - set(queue.ids) == discarded
    assert [one for one in queue.letters if one[1] == "r2"] == others
    assert queue.hidden <= discarded, "the letters that stay are visible again"


NOTES = [
    (Queue(("1", "r", "OUTCOME_UNKNOWN")), TASK, "its dead letter is discarded"),
    (Queue(*((str(n), "r", "OUTCOME_UNKNOWN") for n in range(2))), TASK, "its 2 dead letters are discarded"),
    (Queue(), TASK, "no dead letter of it was found among 0 letters"),
    (
        Queue(*((str(n), "r2", "REFUSED") for n in range(30))),
        CANCEL,
        "no dead letter of it was found in the first 20 letters",
    ),
    (Queue(("1", "r", "OUTCOME_UNKNOWN"), fails="delete"), TASK, "1 of its 1 dead letters could not be discarded"),
    (Queue(fails="receive"), TASK, "its dead letter could not be discarded (AccessDenied): see letters discard"),
    (Queue(), NOT_CREATED, "its dead letter stays: redrive it to create the song, or cancel the request"),
]


@pytest.mark.parametrize(("queue", "words", "note"), NOTES, ids=[note for _, _, note in NOTES])
def test_what_became_of_the_letter_is_said_and_never_fails_the_decision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], queue: Queue, words: tuple[str, ...], note: str
) -> None:
    monkeypatch.setattr(manual_decision, "MOST_LETTERS_READ", 20)
    assert operate(monkeypatch, queue, *words) == 0
    printed = capsys.readouterr()
    assert (printed.err.splitlines(), len(printed.out.splitlines())) == ([note], 1)


@pytest.mark.parametrize(
    ("queue", "words", "letters"),
    [
        (
            Queue(("1", "r", "OUTCOME_UNKNOWN")),
            TASK,
            {"found": 1, "discarded": 1, "read": 1, "is_complete": True},
        ),
        (Queue(fails="receive"), CANCEL, {"error": "AccessDenied"}),
        (Queue(), NOT_CREATED, None),
    ],
)
def test_the_answer_in_json_has_what_became_of_the_letter(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    queue: Queue,
    words: tuple[str, ...],
    letters: object,
) -> None:
    function = ResolveSong()
    assert operate(monkeypatch, queue, *words, "--json", function=function) == 0
    assert json.loads(capsys.readouterr().out) == {**function.response, "letters": letters}


@pytest.mark.parametrize("words", [TASK, NOT_CREATED, CANCEL])
def test_a_decision_that_is_refused_discards_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    queue = Queue(*LETTERS)
    assert operate(monkeypatch, queue, *words, function=ResolveSong(refused="too late")) == 1
    participle = "cancelled" if words is CANCEL else "resolved"
    assert capsys.readouterr().err == f"Error: r was not {participle}: too late\n"
    assert queue.letters == LETTERS


def test_a_decision_has_the_name_that_is_given_or_the_callers_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, by in ((CANCEL, "arn:operator"), ((*CANCEL, "--by=Ada"), "Ada")):
        function = ResolveSong()
        assert operate(monkeypatch, Queue(), *words, function=function) == 0
        assert function.event == {"request_id": "r", "cancel": True, "by": by}


LIMIT_NOTE = "stopped after 20 letters of requests: there may be more"


@pytest.mark.parametrize(("count", "is_noted"), [(19, False), (20, True), (21, True)])
@pytest.mark.parametrize("words", [("--limit=20",), ("discard", "--reason=REFUSED", "--yes"), ("discard", "none")])
def test_letters_say_where_they_stop(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    count: int,
    is_noted: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(letters_command, "MOST_LETTERS_READ", 20)
    operate(monkeypatch, Queue(*((str(n), "r", "REFUSED") for n in range(count))), "letters", *words)
    assert (LIMIT_NOTE in capsys.readouterr().err.splitlines()) is is_noted


def test_a_command_reads_a_thousand_letters_of_a_queue() -> None:
    assert dead_letter_queue.MOST_LETTERS_READ == 1000
