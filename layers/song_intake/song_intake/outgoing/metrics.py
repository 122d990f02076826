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

_METRICS_OF_ACTIONS = ("Submitted", "Duplicate", "Succeeded", "Failed", "Retried", "SentAnew", "DeadLettered")
_METRICS_OF_LINKS = ("LinksRefused",)
REPEATED_REFUSALS = "RepeatedRefusals"
_METRICS_OF_WEBHOOKS = ("WebhookAccepted", "WebhookRefused")
_METRICS_OF_THE_ACCOUNT = ("Credits", "CreditsUnknown", "IntakePaused", "IntakeDisabledElsewhere")
FAULTS_SHARED = "FaultsShared"
NOTIFICATIONS_REFUSED = "NotificationsRefused"
CALLBACKS_DROPPED = "CallbacksDropped"
BATCHED_WRITES_REFUSED = "BatchedWritesRefused"
BUDGET_USED = "BudgetUsed"
SENDER_BUDGET_USED = "SenderBudgetUsed"
METRICS = frozenset(
    (
        *_METRICS_OF_ACTIONS,
        *_METRICS_OF_LINKS,
        *_METRICS_OF_WEBHOOKS,
        *_METRICS_OF_THE_ACCOUNT,
        *METRIC_OF_REASON.values(),
        REPEATED_REFUSALS,
        FAULTS_SHARED,
        NOTIFICATIONS_REFUSED,
        CALLBACKS_DROPPED,
        BATCHED_WRITES_REFUSED,
        BUDGET_USED,
        SENDER_BUDGET_USED,
    )
)
