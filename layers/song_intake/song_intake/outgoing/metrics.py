"""The names of the metrics and of the actions in the log, and which of them a decision counts under."""

from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn, SendAnew
from song_intake.domain.reason import SHARED, Reason

# Reasons with their own metric, in addition to Retried and DeadLettered: an alarm or a dashboard uses it.
METRIC_OF_REASON = {
    Reason.TOKEN_REFUSED: "TokenRefused",
    Reason.TOKEN_UNAVAILABLE: "TokenUnavailable",
    Reason.NO_CREDITS: "NoCredits",
    Reason.LEDGER_UNAVAILABLE: "LedgerUnavailable",
    Reason.REFUSED: "Rejected",
    Reason.OUTCOME_UNKNOWN: "InDoubt",
    Reason.TASK_NOT_RECORDED: "TaskNotRecorded",
    Reason.NOT_FINISHED: "NotYet",
    Reason.NEVER_FINISHED: "NeverFinished",
    Reason.UNKNOWN_STATUS: "UnknownStatus",
}

GIVEN_UP = "GivenUp"
RECORDING_UNAVAILABLE = "RecordingUnavailable"
CALLER_MUST_ACT = "CallerMustAct"
METRIC_OF_LETTER = {
    Reason.OUTCOME_UNKNOWN: METRIC_OF_REASON[Reason.OUTCOME_UNKNOWN],
    Reason.TASK_NOT_RECORDED: METRIC_OF_REASON[Reason.TASK_NOT_RECORDED],
    Reason.INVALID_REQUEST: CALLER_MUST_ACT,
    Reason.REQUEST_ID_REUSED: CALLER_MUST_ACT,
    Reason.REFUSED: CALLER_MUST_ACT,
    Reason.EXPIRED: CALLER_MUST_ACT,
    Reason.CANCELLED: CALLER_MUST_ACT,
    Reason.RETRIES_EXHAUSTED: GIVEN_UP,
    Reason.TASK_UNKNOWN: GIVEN_UP,
    Reason.NEVER_FINISHED: GIVEN_UP,
    Reason.NO_SUCH_REQUEST: GIVEN_UP,
    Reason.RECORDING_UNAVAILABLE: RECORDING_UNAVAILABLE,
}
"""The metric of each dead-letter reason, each with an alarm."""

DEAD_LETTERED = "DeadLettered"
_METRICS_OF_ACTIONS = ("Submitted", "Duplicate", "Succeeded", "Failed", "Kept", "Retried", "SentAnew", DEAD_LETTERED)
SEND_TO_SUBMITTED = "SendToSubmitted"
END_TO_EVENT = "EndToEvent"
"""Both in milliseconds."""

_METRICS_OF_LINKS = ("LinksRefused",)
REPEATED_REFUSALS = "RepeatedRefusals"
_METRICS_OF_WEBHOOKS = ("WebhookAccepted", "WebhookRefused")
_METRICS_OF_THE_ACCOUNT = ("Credits", "CreditsUnknown", "IntakePaused", "IntakeDisabledElsewhere")
FAULTS_SHARED = "FaultsShared"
NOTIFICATIONS_REFUSED = "NotificationsRefused"
CALLBACKS_DROPPED = "CallbacksDropped"
BATCHED_WRITES_REFUSED = "BatchedWritesRefused"
RECORDINGS_KEPT = "RecordingsKept"
RECORDING_BYTES = "RecordingBytes"
BUDGET_USED = "BudgetUsed"
SENDER_BUDGET_USED = "SenderBudgetUsed"
METRICS = frozenset(
    (
        *_METRICS_OF_ACTIONS,
        *_METRICS_OF_LINKS,
        *_METRICS_OF_WEBHOOKS,
        *_METRICS_OF_THE_ACCOUNT,
        *METRIC_OF_REASON.values(),
        GIVEN_UP,
        CALLER_MUST_ACT,
        RECORDING_UNAVAILABLE,
        REPEATED_REFUSALS,
        FAULTS_SHARED,
        NOTIFICATIONS_REFUSED,
        CALLBACKS_DROPPED,
        BATCHED_WRITES_REFUSED,
        RECORDINGS_KEPT,
        RECORDING_BYTES,
        BUDGET_USED,
        SENDER_BUDGET_USED,
        SEND_TO_SUBMITTED,
        END_TO_EVENT,
    )
)


def action_of(decision: Decision) -> str:
    """What the log has as the action."""
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
        case SendAnew():
            return "send_anew"
        case DeadLetter():
            return "dead_letter"


def metrics_of(decision: Decision) -> list[str]:
    """The counts of a decision."""
    match decision:
        case RetryIn(reason=Reason.NOT_FINISHED) | Done(reason=Reason.NOT_FINISHED):
            names = []
        case Done(passed_on=True):
            names = ["NotYet"]
        case Done():
            names = [action_of(decision).capitalize(), *["LinksRefused"] * decision.links_refused]
        case RetryIn():
            names = ["Retried"]
        case SendAnew():
            names = ["SentAnew"]
        case DeadLetter():
            names = metrics_of_letter(decision.reason)
    also = METRIC_OF_REASON.get(decision.reason) if decision.reason else None
    return [*names, also] if also and also not in names else names


def metrics_of_letter(reason: Reason) -> list[str]:
    """The metrics of a dead letter. A reason without its own is urgent: the stack gave something up."""
    return [DEAD_LETTERED, METRIC_OF_LETTER.get(reason, GIVEN_UP)]


def metric_with_reason(decision: Decision) -> tuple[str, Reason] | None:
    """The metric that has the reason as a dimension: why a message became a dead letter, or why it waits although it is
    not at fault itself. Waiting for the pace is no fault.
    """
    match decision:
        case DeadLetter(reason=reason):
            return DEAD_LETTERED, reason
        case RetryIn(reason=reason) | SendAnew(reason=reason) if reason in SHARED and reason is not Reason.PACED:
            return FAULTS_SHARED, reason
        case _:
            return None
