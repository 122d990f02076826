"""Sends cases and follows each to its end: by the ledger, the dead letters, and the music API's own list of songs."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.local.intake import Intake, Letter
from tests.local.run.cases import DEAD_LETTER, Case, Ending
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.record import Create

LOOK_EVERY: Final = 0.2  # seconds
PATIENCE: Final = 30.0  # seconds without any change
SONGS_END: Final = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True, slots=True)
class State:
    """What became of a request so far."""

    status: str
    task_id: str | None = None
    reason: str | None = None
    creates: int = 0
    ended: bool = False

    @property
    def outcome(self) -> str:
        """What there is to say beside the status."""
        return self.reason or self.task_id or ""


QUEUED: Final = State("queued")


@dataclass(slots=True)
class Tracked:
    """A case under way, the ids of its messages, and the states before this one, as far as they were seen."""

    case: Case
    message_ids: Sequence[str]
    state: State = QUEUED
    before: list[State] = field(default_factory=list)

    @property
    def is_as_expected(self) -> bool:
        expected, state = self.case.ending, self.state
        ending = Ending(state.status, state.reason, state.creates, expected.after)
        return state.ended and ending == expected and (expected.after is None or self.was(expected.after))

    def was(self, status: str) -> bool:
        return any(state.status == status for state in self.before)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at everything found: the changes since the last, and how it stands."""

    changed: Sequence[Tracked]
    under_way: Sequence[Tracked]
    ended: int
    in_queue: int
    """Messages."""


class Display(Protocol):
    def say(self, line: str) -> None: ...

    def show(self, look: Look) -> None:
        """Called after every look, also one that found no change."""


class Progress:
    """All that was sent in this run, and how far it got."""

    def __init__(self, intake: Intake, vendor: MusicVendor, display: Display) -> None:
        self.tracked: list[Tracked] = []
        self._intake = intake
        self._vendor = vendor
        self._display = display
        self._in_queue = 0
        self._last_change = time.monotonic()

    def send(self, cases: Iterable[Case]) -> None:
        for case in cases:
            if case.waits:
                self._follow(self._all_ended)
            self._plan(case)
            self.tracked.append(Tracked(case, [self._intake.send(case.body) for _ in range(case.times)]))

    def _plan(self, case: Case) -> None:
        if case.behaviours:
            self._vendor.plan(case.song, *case.behaviours)
        if case.story:
            self._vendor.plan_task(case.song, case.story)
        if case.webhook:
            self._vendor.plan_webhook(case.song, case.webhook)

    def follow(self) -> None:
        """Returns when every request has ended and no message of it is left, or when patience is at its end."""
        self._follow(lambda: self._in_queue == 0 and self._all_ended())
        # Once more: the last message may have changed something after the look that found its request ended.
        self.look()

    def _follow(self, condition: Callable[[], bool]) -> None:
        self.look()
        while not condition() and time.monotonic() < self._last_change + PATIENCE:
            time.sleep(LOOK_EVERY)
            self.look()

    def _all_ended(self) -> bool:
        return all(tracked.state.ended for tracked in self.tracked)

    def look(self) -> None:
        """Shows what has changed."""
        # The queue first: what is seen of it is older than what is seen of the rows, never newer.
        in_queue_before, self._in_queue = self._in_queue, self._intake.in_queue()
        evidence = _Evidence.gather(self._intake, self._vendor)
        changed = [tracked for tracked in self.tracked if _update(tracked, evidence)]
        if changed or self._in_queue != in_queue_before:
            self._last_change = time.monotonic()
        self._release_webhooks()
        under_way = [tracked for tracked in self.tracked if not tracked.state.ended]
        self._display.show(Look(changed, under_way, len(self.tracked) - len(under_way), self._in_queue))

    def _release_webhooks(self) -> None:
        """Those that are to settle a doubt, once it was seen."""
        for tracked in self.tracked:
            case = tracked.case
            if case.webhook and case.webhook.held and tracked.state.status == "IN_DOUBT":
                self._vendor.release_webhooks(case.song)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the ledger, the dead-letter queue and the music API say at one moment."""

    rows: Sequence[Mapping[str, Any]]
    letters: Mapping[str, Letter]
    creates: Mapping[str, Create]

    @classmethod
    def gather(cls, intake: Intake, vendor: MusicVendor) -> "_Evidence":
        # Against the order in which they come about, so that a letter finds its row, and a task_id its song.
        letters = {letter.attributes.get("first_message_id", letter.message_id): letter for letter in intake.letters()}
        rows = intake.rows()
        return cls(rows, letters, {create.task_id: create for create in vendor.creates})

    def row_of(self, case: Case, message_ids: Sequence[str]) -> Mapping[str, Any] | None:
        """The row under an id of this message, or one that its body names, unless the row is about another song."""
        for row in self.rows:
            if row["request_id"] in message_ids or row["request_id"] in case.body:
                create = self.creates.get(row.get("task_id", ""))
                return row if create is None or create.title == case.song else None
        return None


def _update(tracked: Tracked, evidence: _Evidence) -> bool:
    """Whether there was something new."""
    state = _state(tracked, evidence)
    if state == tracked.state:
        return False
    tracked.before.append(tracked.state)
    tracked.state = state
    return True


def _state(tracked: Tracked, evidence: _Evidence) -> State:
    case, message_ids = tracked.case, tracked.message_ids
    creates = sum(create.title == case.song for create in evidence.creates.values())
    letter = next((evidence.letters[one] for one in message_ids if one in evidence.letters), None)
    row = evidence.row_of(case, message_ids)
    if letter is not None:
        is_told_by_row = row is not None and row.get("reason") == letter.reason
        status = row["status"] if row is not None and is_told_by_row else DEAD_LETTER
        return State(status, reason=letter.reason or "without a reason", creates=creates, ended=True)
    if row is None:
        return State(QUEUED.status, creates=creates)
    task_id = row.get("task_id")
    # A task that the music API does not know would be no song.
    ended = row["status"] in SONGS_END and task_id in evidence.creates
    return State(row["status"], task_id, row.get("reason"), creates, ended)
