"""Moves dead letters back to their queue, for an operator: one event, one queue, as many letters as the time allows.

A letter with a proof keeps its ids. A letter that SQS moved has none of them, because the function crashed on every
receive; SQS kept its message id, which becomes its first id. Each letter is signed when it is moved, and sent before it
is deleted: after a crash in between it is on both queues, and the ledger recognizes the duplicate by the first id.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.aws.signing_key import KeyUnavailable
from song_intake.contract.proof import proof_on
from song_intake.contract.redrive_order import RedriveOrder
from song_intake.contract.sqs_message import Origin
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.outgoing.attributes import DETAILS, attributes_of, group_of
from song_intake.work.received_letter import message_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.work.batch import TimeLeft

LETTERS_A_CALL = 10
"""The limit of SQS."""

LONG_POLL_SECONDS = 1
"""Any wait makes SQS ask all of its servers; without one, it may return nothing although there are letters."""

EMPTY_RECEIVES = 2
"""After so many in a row, the queue counts as read to its end. Our choice."""

RESERVED_SECONDS = 10.0
"""What must be left of the invocation to receive more letters: the moves of one receive, and the response."""

RELEASES_A_SECOND = 100
"""How many letters a second can be made visible again at least. Our choice."""

NOT_MOVABLE = "NOT_MOVABLE"
"""Stands for the reason of a letter that is not moved: its proof is of no valid key, or it is not of this stack."""

# SendMessage refuses this letter, and not every letter.
_OF_THE_LETTER = frozenset(("InvalidParameterValue", "InvalidMessageContents"))

_AGES = ((3600, "under 1 hour"), (86_400, "under 1 day"), (7 * 86_400, "under 7 days"), (math.inf, "7 days or more"))


@frozen
class LetterRoute:
    """From which queue dead letters are moved to which, by URL."""

    dead_letters: str
    queue: str


@frozen
class _Letter:
    message: Message = field(repr=False)
    origin: Origin | None
    """None: it is not moved."""
    is_stamped: bool = False
    """Whether SQS moved it, so that its attributes are its sender's."""

    @property
    def reason(self) -> str:
        return self.origin.reason if self.origin else NOT_MOVABLE


@dataclass(slots=True)
class _Run:
    """What one invocation has done."""

    letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By reason and age."""
    selected: int = 0
    not_accepted: int = 0
    """Letters that their queue refused, because with our attributes they are too large."""
    moved: Counter[str] = field(default_factory=Counter)
    """By reason."""
    moved_ids: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    """The receipt handles of the letters that stay, by message id."""
    is_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Redrive:
    sqs: SQSClient
    proofs: Proofs
    routes: Mapping[str, LetterRoute]
    """By the name of the queue in an order."""

    def handle(self, event: Mapping[str, object], time_left: TimeLeft) -> dict[str, object]:
        """Execute one order. Raises RedriveRefused.

        The response counts the letters by reason and age, those that the order selects, and those that were moved. A
        second invocation goes on where this one stopped, unless `is_complete`.
        """
        order = RedriveOrder.of(event, self.routes.keys())
        run = _Run()
        error: dict[str, object] = {}
        try:
            self._run(order, run, time_left)
        except KeyUnavailable as failure:
            error = {"error": f"{Reason.SIGNING_KEY_UNAVAILABLE}: {failure}"}
        except AWS_FAILURES as failure:
            error = {"error": code_of(failure)}
        finally:
            self._release(self.routes[order.queue], run)
        letters: dict[str, dict[str, int]] = {}
        for (reason, age), count in sorted(run.letters.items()):
            letters.setdefault(reason, {})[age] = count
        return {
            "letters": letters,
            "selected": run.selected,
            "not_accepted": run.not_accepted,
            "moved": dict(sorted(run.moved.items())),
            "at": order.at,
            "is_complete": run.is_complete,
            **error,
        }

    def _run(self, order: RedriveOrder, run: _Run, time_left: TimeLeft) -> None:
        route = self.routes[order.queue]
        for message, is_moved_by_sqs in self._received(route, run, time_left):
            letter = self._letter(message, is_moved_by_sqs=is_moved_by_sqs)
            run.letters[letter.reason, _age_of(message, order)] += 1
            if letter.origin is None or not order.selects(letter.origin.reason, message.sent_at):
                continue
            if order.limit is not None and run.selected >= order.limit:
                continue
            run.selected += 1
            if order.is_dry_run:
                continue
            try:
                self._move(route, letter, letter.origin)
            except ClientError as failure:
                if code_of(failure) not in _OF_THE_LETTER:
                    raise
                run.not_accepted += 1
                continue
            self._delete(route, run.held[message.message_id])
            del run.held[message.message_id]
            run.moved[letter.reason] += 1
            run.moved_ids.add(message.message_id)
            if run.selected == order.limit:
                run.is_complete = True
                return

    def _received(self, route: LetterRoute, run: _Run, time_left: TimeLeft) -> Iterator[tuple[Message, bool]]:
        """Each letter once, hidden until the invocation ends, and whether SQS moved it to this queue.

        Sets run.is_complete at the end of the queue.
        """
        empty = 0
        while empty < EMPTY_RECEIVES:
            if time_left() < RESERVED_SECONDS + len(run.held) / RELEASES_A_SECOND:
                return
            received = self.sqs.receive_message(
                QueueUrl=route.dead_letters,
                MaxNumberOfMessages=LETTERS_A_CALL,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                VisibilityTimeout=math.ceil(time_left()),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            empty = 0 if received else empty + 1
            yield from [
                (message_of(letter), "DeadLetterQueueSourceArn" in letter.get("Attributes", {}))
                for letter in received
                if self._is_first(letter, route, run)
            ]
        run.is_complete = True

    def _is_first(self, letter: MessageTypeDef, route: LetterRoute, run: _Run) -> bool:
        """Whether this is the letter's first delivery in this run. Keeps its newest receipt handle."""
        message_id, handle = letter["MessageId"], letter["ReceiptHandle"]
        if message_id in run.moved_ids:
            # It is on its queue by now.
            self._delete(route, handle)
            return False
        is_first = message_id not in run.held
        run.held[message_id] = handle
        return is_first

    def _letter(self, message: Message, *, is_moved_by_sqs: bool) -> _Letter:
        """Raises KeyUnavailable."""
        message = self.proofs.read(message)
        # A redriven letter is another message than the one that was sent anew.
        if message.origin is not None:
            return _Letter(message, replace(message.origin, sent_anew_for=None))
        claimed = Origin.claimed_by(message.attributes)
        if not is_moved_by_sqs:
            # Only the functions may send to this queue: a letter from before there were proofs, or before the last two
            # keys.
            return _Letter(message, claimed and replace(claimed, sent_anew_for=None))
        if claimed is not None and proof_on(message) is not None:
            # Perhaps its sender's; perhaps of a key that is no longer valid. Its first id cannot be known.
            return _Letter(message, None)
        return _Letter(message, Origin(Reason.UNFORESEEN, message.message_id, sender=message.sent_by), is_stamped=True)

    def _move(self, route: LetterRoute, letter: _Letter, origin: Origin) -> None:
        message = letter.message
        own = self.proofs.attributes(origin, message.body)
        if not letter.is_stamped:
            own |= {name: message.attributes.get(name, {}).get("stringValue") for name in DETAILS}
        self.sqs.send_message(
            QueueUrl=route.queue,
            MessageBody=message.body,
            MessageAttributes=attributes_of(message, own, message.trace),
            **group_of(message),
        )

    def _delete(self, route: LetterRoute, receipt_handle: str) -> None:
        self.sqs.delete_message(QueueUrl=route.dead_letters, ReceiptHandle=receipt_handle)

    def _release(self, route: LetterRoute, run: _Run) -> None:
        """Make the letters that stay visible again. If that fails, they are visible after the invocation's time."""
        handles = list(run.held.values())
        for start in range(0, len(handles), LETTERS_A_CALL):
            with contextlib.suppress(*AWS_FAILURES):
                self.sqs.change_message_visibility_batch(
                    QueueUrl=route.dead_letters,
                    Entries=[
                        {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for i, handle in enumerate(handles[start : start + LETTERS_A_CALL])
                    ],
                )


def _age_of(message: Message, order: RedriveOrder) -> str:
    return next(name for seconds, name in _AGES if order.at - message.sent_at < seconds or seconds == math.inf)
