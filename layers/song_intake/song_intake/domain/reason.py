"""Why a request did not become a song: every code that a row, a dead letter, a log line or a metric may carry."""

from enum import StrEnum


class Reason(StrEnum):
    """The codes are part of the published contract, told in the README: add, but never rename."""

    # The message's own fault: it would fail again, so it becomes a dead letter at once.
    INVALID_REQUEST = "INVALID_REQUEST"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    REFUSED = "REFUSED"

    # Not the message's fault, and it may pass: the message waits on its queue.
    RATE_LIMITED = "RATE_LIMITED"
    PACED = "PACED"
    NO_CREDITS = "NO_CREDITS"
    TOKEN_REFUSED = "TOKEN_REFUSED"  # noqa: S105 - a code, not a token
    TOKEN_UNAVAILABLE = "TOKEN_UNAVAILABLE"  # noqa: S105
    CANNOT_CONNECT = "CANNOT_CONNECT"
    WEBHOOK_KEY_UNAVAILABLE = "WEBHOOK_KEY_UNAVAILABLE"
    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"
    CLAIM_HELD = "CLAIM_HELD"
    NO_TIME_LEFT = "NO_TIME_LEFT"
    DEAD_LETTER_QUEUE_UNAVAILABLE = "DEAD_LETTER_QUEUE_UNAVAILABLE"
    CHECKS_UNAVAILABLE = "CHECKS_UNAVAILABLE"
    EVENTS_UNAVAILABLE = "EVENTS_UNAVAILABLE"
    CALLBACK_UNAVAILABLE = "CALLBACK_UNAVAILABLE"
    UNFORESEEN = "UNFORESEEN"

    # About a song that was submitted: its end.
    FAILED_BY_VENDOR = "FAILED_BY_VENDOR"
    TASK_UNKNOWN = "TASK_UNKNOWN"
    POLL_FAILED = "POLL_FAILED"
    NOT_FINISHED = "NOT_FINISHED"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    NO_SUCH_REQUEST = "NO_SUCH_REQUEST"
    NEVER_FINISHED = "NEVER_FINISHED"

    # About a doubt.
    AWAITING_WEBHOOK = "AWAITING_WEBHOOK"
    NOT_CREATED = "NOT_CREATED"

    # About the account: its balance cannot be read.
    BALANCE_UNKNOWN = "BALANCE_UNKNOWN"

    # An operator has to look: the configuration is wrong, the outcome is not known, or waiting did not help.
    REDIRECTED = "REDIRECTED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    TASK_NOT_RECORDED = "TASK_NOT_RECORDED"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"


# Nothing that a message could mend or wait out by itself: no other message would fare better. These pause the intake.
ACCOUNT_FAULTS = frozenset((Reason.NO_CREDITS, Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE))
