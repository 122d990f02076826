"""Reports what a function does: one JSON log line per record and per created task, and the outcomes as EMF metrics.

Neither contains the token, the body, or the message of an exception, which may quote both.
"""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aws_lambda_powertools.metrics import MetricUnit

from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn, SendAnew
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.music_api.credits import Balance
from song_intake.outgoing.metrics import (
    BATCHED_WRITES_REFUSED,
    CALLBACKS_DROPPED,
    END_TO_EVENT,
    NOTIFICATIONS_REFUSED,
    REPEATED_REFUSALS,
    SEND_TO_SUBMITTED,
    action_of,
    metric_with_reason,
    metrics_of,
)

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.outcome import Refused
    from song_intake.domain.task import NoAnswer
    from song_intake.domain.trace import Trace

# Reasons after which an operator must act on the request.
_ERRORS = frozenset((Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED, Reason.UNFORESEEN))


@frozen
class RecordReport:
    """What happened to one record. `seconds`: how long its decision took."""

    message: Message
    decision: Decision
    request_id: str | None = None
    seconds: float = 0.0
    frames: tuple[str, ...] = ()
    """Where an unexpected exception was raised: see `frames_of`."""
    request: SongRequest | None = None
    """The request, if the message is valid."""
    task_token: str | None = field(default=None, repr=False)
    """The message's own task token, also of an invalid message, if it can be read."""
    trace: Trace | None = None
    """The trace of the message's caller, if it is known."""
    failed_decision: Done | DeadLetter | None = None
    """The decision of which a follow-up step failed. The log must have its task_id, if there is one."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Telemetry:
    """The log and the metrics of one function. Logging is safe to share between threads; `count` is not."""

    logger: Logger
    metrics: Metrics
    _from_threads: deque[str] = field(default_factory=deque, init=False)
    """Metrics of the records' threads, which the next `count` writes."""
    _latencies: deque[tuple[str, int]] = field(default_factory=deque, init=False)
    """Likewise, in milliseconds."""
    _refusals_logged: set[str] = field(default_factory=set, init=False)

    def log(self, report: RecordReport) -> None:
        """Log one record. Every line has `action` and `message_id`, and `request_id` if it is known."""
        decision = report.decision
        keys: dict[str, object] = {
            "action": action_of(decision),
            "request_id": report.request_id,
            "message_id": report.message.message_id,
            "trace_id": _trace_id(report),
            "receive_count": report.message.receive_count,
            "milliseconds": round(report.seconds * 1000),
            "frames": report.frames,
            "task_id": _task_id(report),
            "reason": decision.reason,
        }
        if not isinstance(decision, Done):
            keys["detail"] = decision.detail
        if isinstance(decision, DeadLetter):
            keys |= {"http_status": decision.http_status, "vendor_code": decision.vendor_code}
        if isinstance(decision, RetryIn | SendAnew):
            keys["retry_in_seconds"] = None if decision.seconds is None else round(decision.seconds, 1)
        lost_task = isinstance(report.failed_decision, DeadLetter) and report.failed_decision.task_id
        write = getattr(self.logger, "error" if lost_task else _level(decision))
        write(keys["action"], extra={name: value for name, value in keys.items() if value})

    def created(self, request_id: str, message_id: str, task_id: str, trace: Trace | None = None) -> None:
        """The music API named a task. After a crash, this line is the only record of it.

        Never raises: the task must be recorded although its line cannot be written.
        """
        keys = {"action": "created", "request_id": request_id, "message_id": message_id, "task_id": task_id}
        keys |= {"trace_id": trace.trace_id} if trace else {}
        with contextlib.suppress(Exception):
            self.logger.info("created", extra=keys)

    def repeated_refusal(self, refused: Refused) -> None:
        """The music API refused several requests in a row like this. Never raises; the next `count` has the metric."""
        with contextlib.suppress(Exception):
            self.logger.warning("repeated_refusal", extra={"action": "repeated_refusal", "detail": refused.detail})
        self._from_threads.append(REPEATED_REFUSALS)

    def batched_write_refused(self, code: str) -> None:
        """DynamoDB refused a batched write with this code, which is no failed condition. A single write follows.

        Every refusal is counted, and the first of each code is logged: a missing right would refuse all of them.
        """
        self._from_threads.append(BATCHED_WRITES_REFUSED)
        if code not in self._refusals_logged:
            self._refusals_logged.add(code)
            self.logger.warning("batched write refused", extra={"action": "batched_write", "reason": code})

    def visibility_change_failed(self, reason: str, messages: int) -> None:
        """These messages come back after the queue's visibility timeout instead of their own delay.

        reason: AWS's error code, or the type of the exception.
        """
        self.logger.warning(
            "could not change message visibility",
            extra={"action": "change_visibility", "reason": reason, "messages": messages},
        )

    def submitted_after(self, seconds: float) -> None:
        """A request is SUBMITTED so many seconds after it was sent."""
        self._took(SEND_TO_SUBMITTED, seconds)

    def published_after(self, seconds: float) -> None:
        """The end of a song was published so many seconds after the stack could know it."""
        self._took(END_TO_EVENT, seconds)

    def _took(self, name: str, seconds: float) -> None:
        """Clocks differ, and CloudWatch has no percentiles of a metric with a negative value:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles
        """
        self._latencies.append((name, max(round(seconds * 1000), 0)))

    def callback_dropped(self, code: str) -> None:
        """No task waited for its song any more; `code` is AWS's."""
        self._from_threads.append(CALLBACKS_DROPPED)
        self.logger.warning("callback dropped", extra={"action": "callback", "reason": code})

    def notification_refused(self, step: str, code: str) -> None:
        """AWS refused a notification for good, so it is not repeated. `step`: its kind; `code`: AWS's error code."""
        self._from_threads.append(NOTIFICATIONS_REFUSED)
        keys = {"action": "notification_refused", "step": step, "reason": code}
        self.logger.error("notification refused", extra=keys)

    def account_fault_unpublished(self, code: str) -> None:
        """The bus did not accept an account fault; `code` is AWS's."""
        self.logger.warning("account fault not published", extra={"action": "account_fault", "reason": code})

    def webhook(self, status: int, request_id: str | None, *, accepted: bool) -> None:
        """Report a call to the webhook, with the HTTP status of the response."""
        self.logger.info("webhook", extra={"action": "webhook", "http_status": status, "request_id": request_id})
        self.metrics.add_metric("WebhookAccepted" if accepted else "WebhookRefused", MetricUnit.Count, 1)
        self.metrics.flush_metrics()

    def webhook_failed(self, failure: Exception) -> None:
        """A call to the webhook raised."""
        self.logger.warning("webhook", extra={"action": "webhook", "reason": type(failure).__name__})

    def intake(
        self, balance: Balance | NoAnswer, reason: Reason | None, *, paused: bool, disabled_elsewhere: bool
    ) -> None:
        """Report the state of the intake and the account's balance. reason: why the intake is paused, if known."""
        keys: dict[str, object] = {"action": "intake", "paused": paused} | ({"reason": reason} if reason else {})
        if isinstance(balance, Balance):
            self.logger.info("intake", extra={**keys, "credits": balance.total})
            self.metrics.add_metric("Credits", MetricUnit.Count, balance.total)
        else:
            self.logger.warning("intake", extra={**keys, "balance": balance.reason, "http_status": balance.http_status})
        # Each is reported as 0 too: an alarm on missing data would never end.
        # A stack whose token was never set is no fault: its requests raise an alarm if there are any.
        is_unknown = not isinstance(balance, Balance) and balance.reason is not Reason.TOKEN_NEVER_SET
        self.metrics.add_metric("CreditsUnknown", MetricUnit.Count, int(is_unknown))
        self.metrics.add_metric("IntakePaused", MetricUnit.Count, int(paused))
        self.metrics.add_metric("IntakeDisabledElsewhere", MetricUnit.Count, int(disabled_elsewhere))
        self.metrics.flush_metrics()

    def count(self, reports: Sequence[RecordReport]) -> None:
        """Write one EMF line for a batch, and one more per reason of shared faults or of dead letters: a dimension.

        Called once per batch: the records' threads would share one Metrics object. Never raises: a metric that cannot
        be written must not fail a finished batch.
        """
        counts = Counter(name for report in reports for name in metrics_of(report.decision))
        while self._from_threads:
            counts[self._from_threads.popleft()] += 1
        of_reasons = Counter(named for report in reports if (named := metric_with_reason(report.decision)))
        try:
            if counts or self._latencies:
                for name, count in counts.items():
                    self.metrics.add_metric(name, MetricUnit.Count, count)
                while self._latencies:
                    latency, milliseconds = self._latencies.popleft()
                    self.metrics.add_metric(latency, MetricUnit.Milliseconds, milliseconds)
                self.metrics.flush_metrics()
            for (name, reason), count in of_reasons.items():
                self.metrics.add_dimension("reason", reason)
                self.metrics.add_metric(name, MetricUnit.Count, count)
                self.metrics.flush_metrics()
        except Exception as failure:  # noqa: BLE001
            self.logger.warning("metrics not written", extra={"action": "count", "reason": type(failure).__name__})


def frames_of(failure: BaseException) -> tuple[str, ...]:
    """The last five frames, innermost last: function and line only. The message may quote the request."""
    # Not extract_tb, which also reads the source files.
    frames = list(traceback.walk_tb(failure.__traceback__))[-5:]
    return tuple(f"{frame.f_code.co_name}:{line}" for frame, line in frames)


def _level(decision: Decision) -> Literal["info", "warning", "error"]:
    if isinstance(decision, Done) or decision.reason is Reason.NOT_FINISHED:
        return "info"
    return "error" if decision.reason in _ERRORS else "warning"


def _trace_id(report: RecordReport) -> str | None:
    """That of the message; or that of the row, where a webhook or a message without a trace led to it."""
    trace = report.trace or (report.decision.trace if isinstance(report.decision, Done) else None)
    return trace.trace_id if trace else None


def _task_id(report: RecordReport) -> str | None:
    if isinstance(report.decision, RetryIn | SendAnew):
        return report.failed_decision.task_id if report.failed_decision else None
    return report.decision.task_id
