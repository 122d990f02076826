"""Has resolve_song record an operator's decision, and discards the dead letter that is dealt with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.dead_letter_queue import MOST_LETTERS_READ, delete_letters, held_letters
from song_intake.commands.stack import CommandFailed, invoke, refusal_in
from song_intake.commands.terminal import print_json, print_line, print_note
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Set

    from song_intake.commands.stack import Target

    Response = Mapping[str, Any]

_QUEUE: Final = "requests"


@frozen
class ManualDecision:
    """What an operator decided about one request."""

    request_id: str
    fields: Mapping[str, object]
    """What resolve_song reads: {"task_id": ...}, {"not_created": true} or {"cancel": true}."""
    participle: str
    """What becomes of the request, such as "cancelled"."""
    settled: Set[Reason]
    """The reasons of the request's dead letters that are dealt with by this decision. Empty: its letters are needed."""
    by: str | None = None
    """Who decided; None for the caller's ARN."""


@frozen
class _Cleared:
    """What became of the dead letters of a request that is settled."""

    found: int
    discarded: int
    read: int
    """How many letters of all requests were read."""
    is_complete: bool
    """Whether the queue was read to its end."""

    def __str__(self) -> str:
        if self.discarded < self.found:
            return f"{self.found - self.discarded} of its {self.found} dead letters could not be discarded"
        if self.discarded:
            return "its dead letter is discarded" if self.found == 1 else f"its {self.found} dead letters are discarded"
        return f"no dead letter of it was found {'among' if self.is_complete else 'in the first'} {self.read:,} letters"

    def as_json(self) -> dict[str, object]:
        return {
            "found": self.found,
            "discarded": self.discarded,
            "read": self.read,
            "is_complete": self.is_complete,
        }


def decide(target: Target, decision: ManualDecision, line: Callable[[Response], str]) -> None:
    """Record a decision and print the answer: as JSON, or the line that `line` makes of it.

    Where the dead letter cannot be discarded, a note says so: the decision is recorded all the same.
    Raises CommandFailed if the decision is refused, and AWS_FAILURES.
    """
    event = {"request_id": decision.request_id, "by": decision.by or target.caller, **decision.fields}
    response, is_done = invoke(target.functions, target.output("ResolveSongFunctionName"), event)
    if not is_done:
        if target.is_json:
            print_json(response)
        raise CommandFailed(f"{decision.request_id} was not {decision.participle}: {refusal_in(response)}")
    if not target.is_json:
        print_line(line(response))
    letters = _clear(target, decision) if decision.settled else None
    if target.is_json:
        print_json({**response, "letters": letters})


def _clear(target: Target, decision: ManualDecision) -> dict[str, object]:
    """Discard the letters that are settled, and note what was done. Returns it for JSON."""
    try:
        cleared = _discard_settled(target, decision)
    except AWS_FAILURES as failure:
        code = code_of(failure)
        print_note(f"its dead letter could not be discarded ({code}): see letters discard")
        return {"error": code}
    print_note(str(cleared))
    return cleared.as_json()


def _discard_settled(target: Target, decision: ManualDecision) -> _Cleared:
    url = target.output("DeadLetterQueueUrl")
    with held_letters(target.sqs, {_QUEUE: url}, MOST_LETTERS_READ) as held:
        own = [one for one in held if one.request_id == decision.request_id and one.reason in decision.settled]
        deleted = delete_letters(target.sqs, url, own)
        return _Cleared(len(own), deleted, read=len(held), is_complete=len(held) < MOST_LETTERS_READ)
