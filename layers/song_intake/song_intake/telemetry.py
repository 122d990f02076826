"""What the function tells: one JSON log line a record, and its outcomes as EMF metrics.

Neither ever holds the token, the body, or the text of an exception, which may quote either.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aws_lambda_powertools.metrics import MetricUnit

from song_intake.aws_failure import code_of
from song_intake.credits_answer import Balance
from song_intake.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.reason import Reason

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

    from song_intake.message import Message
    from song_intake.song_request import SongRequest
    from song_intake.task_state import NotTold

# The outcomes that have an alarm or a line on the dashboard of their own, beside Retried and DeadLettered.
_METRIC_OF_REASON = {
    Reason.TOKEN_REFUSED: "TokenRefused",
    Reason.TOKEN_UNAVAILABLE: "TokenUnavailable",
    Reason.NO_CREDITS: "NoCredits",
    Reason.LEDGER_UNAVAILABLE: "LedgerUnavailable",
    Reason.REFUSED: "Rejected",
    Reason.REDIRECTED: "Rejected",
    Reason.OUTCOME_UNKNOWN: "InDoubt",
    Reason.TASK_NOT_RECORDED: "TaskNotRecorded",
    Reason.NOT_FINISHED: "NotYet",
    Reason.NEVER_FINISHED: "NeverFinished",
    Reason.UNKNOWN_STATUS: "UnknownStatus",
}

_METRICS_OF_ACTIONS = ("Submitted", "Duplicate", "Succeeded", "Failed", "Retried", "DeadLettered")
_METRICS_OF_WEBHOOKS = ("WebhookAccepted", "WebhookRefused")
_METRICS_OF_THE_ACCOUNT = ("Credits", "CreditsUnknown", "IntakePaused")
METRICS = frozenset(
    (*_METRICS_OF_ACTIONS, *_METRICS_OF_WEBHOOKS, *_METRICS_OF_THE_ACCOUNT, *_METRIC_OF_REASON.values())
)

# After these an operator has something to do for this one request.
_ERRORS = frozenset((Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED, Reason.UNFORESEEN))


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to one record."""

    message: Message
    decision: Decision
    request_id: str | None = None
    seconds: float = 0.0
    frames: tuple[str, ...] = ()
    """Where an unforeseen exception came from."""
    request: SongRequest | None = None
    """What was asked for, where the message could be read."""
    undone: Done | DeadLetter | None = None
    """The decision that could not be carried out: its task_id, where it has one, must at least be in the log."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    logger: Logger
    metrics: Metrics

    def log(self, report: Report) -> None:
        """One line, with `action`, `request_id` and `message_id` on every one."""
        decision = report.decision
        keys: dict[str, object] = {
            "action": _action(decision),
            "request_id": report.request_id,
            "message_id": report.message.message_id,
            "receive_count": report.message.receive_count,
            "milliseconds": round(report.seconds * 1000),
            "frames": report.frames,
            "task_id": _task_id(report),
        }
        if not isinstance(decision, Done):
            keys |= {"reason": decision.reason, "detail": decision.detail}
        if isinstance(decision, DeadLetter):
            keys |= {"http_status": decision.http_status, "vendor_code": decision.vendor_code}
        if isinstance(decision, RetryIn):
            keys["retry_in_seconds"] = None if decision.seconds is None else round(decision.seconds, 1)
        untold_task = isinstance(report.undone, DeadLetter) and report.undone.task_id
        write = getattr(self.logger, "error" if untold_task else _level(decision))
        write(keys["action"], extra={name: value for name, value in keys.items() if value})

    def visibility_not_changed(self, failure: Exception) -> None:
        self.logger.warning("visibility not changed", extra={"action": "hide", "reason": code_of(failure)})

    def webhook(self, status: int, request_id: str | None, *, accepted: bool) -> None:
        """A call to our webhook, by the HTTP status that it was answered with."""
        self.logger.info("webhook", extra={"action": "webhook", "http_status": status, "request_id": request_id})
        self.metrics.add_metric("WebhookAccepted" if accepted else "WebhookRefused", MetricUnit.Count, 1)
        self.metrics.flush_metrics()

    def webhook_failed(self, failure: Exception) -> None:
        self.logger.warning("webhook", extra={"action": "webhook", "reason": type(failure).__name__})

    def intake(self, told: Balance | NotTold, reason: Reason | None, *, paused: bool) -> None:
        """How the intake stands, and the account; `reason`: for which it was switched off."""
        keys: dict[str, object] = {"action": "intake", "paused": paused} | ({"reason": reason} if reason else {})
        if isinstance(told, Balance):
            self.logger.info("intake", extra={**keys, "credits": told.total})
            self.metrics.add_metric("Credits", MetricUnit.Count, told.total)
        else:
            self.logger.warning("intake", extra={**keys, "balance": told.reason, "http_status": told.http_status})
            self.metrics.add_metric("CreditsUnknown", MetricUnit.Count, 1)
        self.metrics.add_metric("IntakePaused", MetricUnit.Count, int(paused))
        self.metrics.flush_metrics()

    def count(self, reports: Iterable[Report]) -> None:
        """One EMF line a batch; a metric is added up here rather than in the records' threads, which share it.

        Never raises: a metric that cannot be written must not undo a batch that is done.
        """
        counts = Counter(name for report in reports for name in _metrics_of(report.decision))
        if not counts:
            return
        try:
            for name, count in counts.items():
                self.metrics.add_metric(name, MetricUnit.Count, count)
            self.metrics.flush_metrics()
        except Exception as failure:  # noqa: BLE001
            self.logger.warning("not counted", extra={"action": "count", "reason": type(failure).__name__})


def frames_of(failure: BaseException) -> tuple[str, ...]:
    """Where it was raised, innermost last: files and lines without the text, which may quote the request."""
    return tuple(f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(failure.__traceback__)[-5:])


def _action(decision: Decision) -> str:
    match decision:
        case Done(passed_on=True):
            return "not_yet"
        case Done(ended=ended, duplicate=False) if ended:
            return ended.lower()
        case Done(duplicate=True):
            return "duplicate"
        case Done():
            return "submitted"
        case RetryIn():
            return "retry"
        case DeadLetter():
            return "dead_letter"


def _level(decision: Decision) -> Literal["info", "warning", "error"]:
    if isinstance(decision, Done) or decision.reason is Reason.NOT_FINISHED:
        return "info"
    return "error" if decision.reason in _ERRORS else "warning"


def _task_id(report: Report) -> str | None:
    if isinstance(report.decision, RetryIn):
        return report.undone.task_id if report.undone else None
    return report.decision.task_id


def _metrics_of(decision: Decision) -> list[str]:
    match decision:
        case Done(passed_on=True):
            return ["NotYet"]
        case Done():
            return [_action(decision).capitalize()]
        case RetryIn(reason=Reason.NOT_FINISHED):
            names = []
        case RetryIn():
            names = ["Retried"]
        case DeadLetter():
            names = ["DeadLettered"]
    return [*names, _METRIC_OF_REASON[decision.reason]] if decision.reason in _METRIC_OF_REASON else names
