"""The figures of one case, and the limits that they must keep."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from song_intake.domain.status import Status
from tests.outage.cases import Case
from tests.outage.stack import Stack

DOUBTS_A_PROCESS_AND_PAUSE: Final = 3
_A_SONG_MAY_EXIST: Final = frozenset(("OUTCOME_UNKNOWN", "TASK_NOT_RECORDED"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times are in seconds."""

    case: str
    queued: int
    untried_dead_letters: int
    """Dead letters of requests that no create was sent for, or for a reason that was not their own."""
    rejected_told: int
    """`Song Rejected`, `Message Rejected` and failed tasks of workflows."""
    lost: int
    """Requests without a song, a doubt, a dead letter and a message."""
    doubts: int
    seconds_to_work_again: float
    """The longest time from the end of a cause to the first create after it."""
    paid_twice: int
    created: int
    created_while_closed: int
    share_of_rate: float
    """The creates, divided by those that the rate allows until the last one. 0 without a rate."""
    pauses: int
    sent_anew: int
    receives: int
    too_fast: int
    """Creates beyond the rate that the stack is set to."""
    doubts_allowed: int
    seconds_allowed: float
    pauses_allowed: int | None
    share_of_rate_required: float
    days: float
    """The virtual time of the run."""
    real_seconds: float = 0.0
    """The time that the run took."""

    def missed(self) -> list[str]:
        """The names of the figures that miss their limits."""
        most: dict[str, float] = {
            "untried_dead_letters": 0,
            "rejected_told": 0,
            "lost": 0,
            "doubts": self.doubts_allowed,
            "seconds_to_work_again": self.seconds_allowed,
            "paid_twice": 0,
            "created_while_closed": 0,
            "too_fast": 0,
        }
        if self.pauses_allowed is not None:
            most["pauses"] = self.pauses_allowed
        missed = [name for name, limit in most.items() if getattr(self, name) > limit]
        return [*missed, *(["share_of_rate"] if self.share_of_rate < self.share_of_rate_required else [])]


def figures_of(case: Case, stack: Stack) -> Figures:
    vendor, row = stack.vendor, stack.deployment.row
    statuses = stack.statuses()
    doubts = {name for name, status in statuses.items() if status in (Status.IN_DOUBT, Status.SUBMITTING)}
    submitted = {name for name, status in statuses.items() if status == Status.SUBMITTED}
    letters = {name for name, _ in stack.sqs.letters}
    pauses = sum(not is_on for _, is_on in stack.mapping.changes)
    under_way = row["MaximumConcurrency"] * row["BatchSize"]
    return Figures(
        case=case.name,
        queued=stack.deployment.queued,
        untried_dead_letters=len(stack.queue.moved)
        + sum(reason not in _A_SONG_MAY_EXIST or not vendor.tried[name] for name, reason in stack.sqs.letters),
        rejected_told=stack.bus.rejected + stack.step_functions.failed,
        lost=len(stack.requests - submitted - doubts - letters),
        doubts=len(doubts),
        seconds_to_work_again=round(max((_to_work_again(end, stack) for end in stack.ends), default=0.0), 1),
        paid_twice=sum(count > 1 for count in vendor.made.values()),
        created=len(vendor.made),
        created_while_closed=sum(case.closed[0] <= at < case.closed[1] for at in vendor.created_at),
        share_of_rate=_share_of_rate(stack),
        pauses=pauses,
        sent_anew=stack.sqs.sent_anew,
        receives=stack.queue.receives,
        too_fast=vendor.too_fast,
        doubts_allowed=row["MaximumConcurrency"] * DOUBTS_A_PROCESS_AND_PAUSE * max(1, pauses) + under_way,
        seconds_allowed=round(case.resumes_within + _until_the_next_trial(case, stack), 1),
        pauses_allowed=0 if case.has_no_pause else None,
        share_of_rate_required=case.share_of_rate,
        days=round(stack.now() / 86_400, 2),
    )


def _until_the_next_trial(case: Case, stack: Stack) -> float:
    """Seconds from the end of the cause, where the stack cannot see it."""
    return 0.0 if case.is_seen else max(0.0, stack.held_until - stack.ends[-1])


def _share_of_rate(stack: Stack) -> float:
    created, rate = stack.vendor.created_at, stack.deployment.creates_per_minute / 60
    return round(len(created) / (created[-1] * rate), 3) if rate and created else 0.0


def _to_work_again(end: float, stack: Stack) -> float:
    """Until the run ended, if nothing was created although requests waited."""
    created = sorted(stack.vendor.created_at)
    after = bisect_left(created, end)
    if after < len(created):
        return created[after] - end
    return 0.0 if len(created) + len(stack.sqs.letters) >= stack.deployment.queued else stack.now() - end
