"""The names of the metrics."""

from song_intake.domain.reason import Reason

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
CALLERS_FAULT = "CallersFault"
METRIC_OF_LETTER = {
    Reason.OUTCOME_UNKNOWN: METRIC_OF_REASON[Reason.OUTCOME_UNKNOWN],
    Reason.TASK_NOT_RECORDED: METRIC_OF_REASON[Reason.TASK_NOT_RECORDED],
    Reason.INVALID_REQUEST: CALLERS_FAULT,
    Reason.REQUEST_ID_REUSED: CALLERS_FAULT,
    Reason.REFUSED: CALLERS_FAULT,
    Reason.RETRIES_EXHAUSTED: GIVEN_UP,
    Reason.TASK_UNKNOWN: GIVEN_UP,
    Reason.NEVER_FINISHED: GIVEN_UP,
    Reason.NO_SUCH_REQUEST: GIVEN_UP,
}
"""The metric of each dead-letter reason that has an alarm. A reason that is not listed counts as GIVEN_UP."""

_METRICS_OF_ACTIONS = ("Submitted", "Duplicate", "Succeeded", "Failed", "Retried", "SentAnew", "DeadLettered")
_METRICS_OF_LINKS = ("LinksRefused",)
REPEATED_REFUSALS = "RepeatedRefusals"
_METRICS_OF_WEBHOOKS = ("WebhookAccepted", "WebhookRefused")
_METRICS_OF_THE_ACCOUNT = ("Credits", "CreditsUnknown", "IntakePaused", "IntakeDisabledElsewhere")
FAULTS_SHARED = "FaultsShared"
NOTIFICATIONS_REFUSED = "NotificationsRefused"
CALLBACKS_DROPPED = "CallbacksDropped"
BATCHED_WRITES_REFUSED = "BatchedWritesRefused"
METRICS = frozenset(
    (
        *_METRICS_OF_ACTIONS,
        *_METRICS_OF_LINKS,
        *_METRICS_OF_WEBHOOKS,
        *_METRICS_OF_THE_ACCOUNT,
        *METRIC_OF_REASON.values(),
        GIVEN_UP,
        CALLERS_FAULT,
        REPEATED_REFUSALS,
        FAULTS_SHARED,
        NOTIFICATIONS_REFUSED,
        CALLBACKS_DROPPED,
        BATCHED_WRITES_REFUSED,
    )
)
