"""Sends cases and tracks each to its end, by the ledger, the dead letters and the music API's own list of songs."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.local.intake import Intake, Letter
from tests.local.intake_switching import mapping_state, switch
from tests.local.run.cases import DEAD_LETTER, Case, Ending
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.record import Create

POLL_EVERY: Final = 0.2  # seconds
PATIENCE: Final = 30.0  # seconds without any change
LONGEST_OUTCOME: Final = 17
FINAL: Final = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a request so far."""

    status: str
    task_id: str | None = None
    reason: str | None = None
    creates: int = 0
    ended: bool = False

    @property
    def outcome(self) -> str:
        """The reason, or else the task_id, of which a long one is shortened for display."""
        return self.reason or _shortened(self.task_id or "")


def _shortened(task_id: str) -> str:
    return task_id if len(task_id) <= LONGEST_OUTCOME else f"{task_id[:8]}..."


QUEUED: Final = State("queued")


@dataclass(slots=True)
class Tracked:
    """A case that was sent, the ids of its messages, and its earlier states as far as they were observed."""

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
class Snapshot:
    """The progress at one moment: the cases that changed since the last snapshot, and the totals."""

    changed: Sequence[Tracked]
    unfinished: Sequence[Tracked]
    ended: int
    in_queue: int
    """Messages."""


class Display(Protocol):
    def print_line(self, line: str) -> None: ...

    def show(self, snapshot: Snapshot) -> None:
        """Called with every snapshot, also with one without changes."""


class Progress:
    """Every case that this run sent, with its state."""

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
                self.wait_for_ends()
            self._plan(case)
            self.tracked.append(Tracked(case, [self._intake.send(case.body) for _ in range(case.times)]))

    def _plan(self, case: Case) -> None:
        if case.behaviours:
            self._vendor.plan(case.song, *case.behaviours)
        if case.story:
            self._vendor.plan_task(case.song, case.story)
        if case.webhook:
            self._vendor.plan_webhook(case.song, case.webhook)

    def wait(self) -> None:
        """Returns when every request has ended and the queue is empty, or when nothing has changed for PATIENCE."""
        self._wait_until(lambda: self._in_queue == 0 and self._all_ended())
        # The last message may have changed something after the snapshot in which its request had ended.
        self.update()

    def wait_for_ends(self) -> None:
        """Like `wait`, but duplicates may still be in the queue."""
        self._wait_until(self._all_ended)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        self.update()
        while not condition() and time.monotonic() < self._last_change + PATIENCE:
            time.sleep(POLL_EVERY)
            self._resume_the_intake()
            self.update()

    def _resume_the_intake(self) -> None:
        """Ends a pause as an operator would. Three unknown outcomes in a row pause the intake."""
        if mapping_state(self._intake) == "Disabled":
            switch(self._intake, "on", by="make run")

    def _all_ended(self) -> bool:
        return all(tracked.state.ended for tracked in self.tracked)

    def update(self) -> None:
        """Reads the state of every case and shows the changes."""
        # The queue first: its count must be older than the rows, never newer.
        in_queue_before, self._in_queue = self._in_queue, self._intake.in_queue()
        evidence = _Evidence.gather(self._intake, self._vendor)
        changed = [tracked for tracked in self.tracked if _update(tracked, evidence)]
        if changed or self._in_queue != in_queue_before:
            self._last_change = time.monotonic()
        self._release_webhooks()
        unfinished = [tracked for tracked in self.tracked if not tracked.state.ended]
        ended = len(self.tracked) - len(unfinished)
        self._display.show(Snapshot(changed, unfinished, ended, self._in_queue))

    def _release_webhooks(self) -> None:
        """Sends the held webhook of each request that was observed IN_DOUBT."""
        for tracked in self.tracked:
            case = tracked.case
            if case.webhook and case.webhook.held and tracked.state.status == "IN_DOUBT":
                self._vendor.release_webhooks(case.song)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The contents of the ledger, the dead-letter queue and the music API at one moment."""

    rows: Sequence[Mapping[str, Any]]
    letters: Mapping[str, Letter]
    creates: Mapping[str, Create]

    @classmethod
    def gather(cls, intake: Intake, vendor: MusicVendor) -> "_Evidence":
        # In the reverse of the order of their creation, so that every dead letter has its row and every task its song.
        letters = {letter.attributes.get("first_message_id", letter.message_id): letter for letter in intake.letters()}
        rows = intake.rows()
        return cls(rows, letters, {create.task_id: create for create in vendor.creates})

    def row_of(self, case: Case, message_ids: Sequence[str]) -> Mapping[str, Any] | None:
        """The row with an id of this message or an id in its body, unless the row belongs to another song."""
        for row in self.rows:
            if row["request_id"] in message_ids or row["request_id"] in case.body:
                create = self.creates.get(row.get("task_id", ""))
                return row if create is None or create.title == case.song else None
        return None


def _update(tracked: Tracked, evidence: _Evidence) -> bool:
    """Whether the state changed."""
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
        is_about_row = row is not None and row.get("reason") == letter.reason
        status = row["status"] if row is not None and is_about_row else DEAD_LETTER
        return State(status, reason=letter.reason or "without a reason", creates=creates, ended=True)
    if row is None:
        return State(QUEUED.status, creates=creates)
    task_id = row.get("task_id")
    # A final status counts only if the music API knows the task.
    ended = row["status"] in FINAL and task_id in evidence.creates
    return State(row["status"], task_id, row.get("reason"), creates, ended)
