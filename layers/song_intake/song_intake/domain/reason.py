"""Why a request did not become a song: every code that a row, a dead letter, a log line or a metric may carry.

A reason belongs to the request, or it is *shared*: every request would meet it alike, so no request should be given up
for it.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The codes are part of the published contract, listed in functions/OPERATE.md: add, but never rename."""

    # About the message: it would fail again, so it becomes a dead letter at once.
    INVALID_REQUEST = "INVALID_REQUEST"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    REFUSED = "REFUSED"

    # About the request: see CLOSING.
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"

    # About a task token: its task fails at once.
    TOO_MANY_TASK_TOKENS = "TOO_MANY_TASK_TOKENS"

    # Shared, about the account: see ACCOUNT_FAULTS.
    NO_CREDITS = "NO_CREDITS"
    TOKEN_REFUSED = "TOKEN_REFUSED"  # nosec B105 # noqa: S105 - a code, not a token
    TOKEN_UNAVAILABLE = "TOKEN_UNAVAILABLE"  # nosec B105 # noqa: S105 - likewise

    # Shared, about the vendor: see VENDOR_FAULTS.
    CANNOT_CONNECT = "CANNOT_CONNECT"
    TURNED_AWAY = "TURNED_AWAY"
    ENDPOINT_REFUSED = "ENDPOINT_REFUSED"
    REDIRECTED = "REDIRECTED"
    VENDOR_FAILING = "VENDOR_FAILING"

    # Shared, about the pace.
    RATE_LIMITED = "RATE_LIMITED"
    PACED = "PACED"

    # About the budget: that of the stack is shared, that of a sender concerns its own requests only.
    BUDGET_SPENT = "BUDGET_SPENT"
    SENDER_BUDGET_SPENT = "SENDER_BUDGET_SPENT"

    # Shared, about this stack's own dependencies.
    SECRETS_UNAVAILABLE = "SECRETS_UNAVAILABLE"
    SIGNING_KEY_UNAVAILABLE = "SIGNING_KEY_UNAVAILABLE"
    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"
    REQUEST_QUEUE_UNAVAILABLE = "REQUEST_QUEUE_UNAVAILABLE"
    DEAD_LETTER_QUEUE_UNAVAILABLE = "DEAD_LETTER_QUEUE_UNAVAILABLE"
    CHECKS_UNAVAILABLE = "CHECKS_UNAVAILABLE"
    RECORDINGS_QUEUE_UNAVAILABLE = "RECORDINGS_QUEUE_UNAVAILABLE"
    EVENTS_UNAVAILABLE = "EVENTS_UNAVAILABLE"
    CALLBACK_UNAVAILABLE = "CALLBACK_UNAVAILABLE"

    # About one delivery of the message: the message waits on its queue.
    CLAIM_HELD = "CLAIM_HELD"
    NO_TIME_LEFT = "NO_TIME_LEFT"
    UNFORESEEN = "UNFORESEEN"

    # About a song that was submitted: its end.
    FAILED_BY_VENDOR = "FAILED_BY_VENDOR"
    TASK_UNKNOWN = "TASK_UNKNOWN"
    POLL_FAILED = "POLL_FAILED"
    NOT_FINISHED = "NOT_FINISHED"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    NO_SUCH_REQUEST = "NO_SUCH_REQUEST"
    NEVER_FINISHED = "NEVER_FINISHED"

    # About a song's recording.
    RECORDING_UNAVAILABLE = "RECORDING_UNAVAILABLE"

    # Shared, about the recordings: see RECORDING_FAULTS.
    CDN_UNAVAILABLE = "CDN_UNAVAILABLE"
    BUCKET_UNAVAILABLE = "BUCKET_UNAVAILABLE"

    # About a doubt.
    AWAITING_WEBHOOK = "AWAITING_WEBHOOK"
    NOT_CREATED = "NOT_CREATED"

    # About the account: its balance cannot be read.
    BALANCE_UNKNOWN = "BALANCE_UNKNOWN"
    TOKEN_NEVER_SET = "TOKEN_NEVER_SET"  # nosec B105 # noqa: S105 - a code, not a token

    # An operator has to act: the outcome is not known, or retries did not help.
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    TASK_NOT_RECORDED = "TASK_NOT_RECORDED"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"


CLOSING = frozenset((Reason.EXPIRED, Reason.CANCELLED))
"""No song is created for the request any more: a row that is REJECTED for one of these is never claimed again."""

ACCOUNT_FAULTS = frozenset((Reason.NO_CREDITS, Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE))
"""No request can succeed before somebody corrects the account. These pause the intake."""

VENDOR_FAULTS = frozenset(
    (
        Reason.CANNOT_CONNECT,
        # Something in front of the vendor answered: a gateway, a firewall, a platform without a deployment.
        Reason.TURNED_AWAY,
        # The vendor itself does not accept creates at this address.
        Reason.ENDPOINT_REFUSED,
        Reason.REDIRECTED,
        # Several outcomes in a row were unknown.
        Reason.VENDOR_FAILING,
    )
)
"""The vendor is not reached, or not in working order. No create was made."""

PACE_REASONS = frozenset((Reason.RATE_LIMITED, Reason.PACED))
"""Too many requests at once: the next slot is later."""

STACK_FAULTS = frozenset(
    (
        Reason.SECRETS_UNAVAILABLE,
        Reason.SIGNING_KEY_UNAVAILABLE,
        Reason.LEDGER_UNAVAILABLE,
        Reason.REQUEST_QUEUE_UNAVAILABLE,
        Reason.DEAD_LETTER_QUEUE_UNAVAILABLE,
        Reason.CHECKS_UNAVAILABLE,
        Reason.RECORDINGS_QUEUE_UNAVAILABLE,
        Reason.EVENTS_UNAVAILABLE,
        Reason.CALLBACK_UNAVAILABLE,
    )
)
"""An AWS service that this stack depends on does not answer."""

RECORDING_FAULTS = frozenset((Reason.CDN_UNAVAILABLE, Reason.BUCKET_UNAVAILABLE))
"""Recordings cannot be copied: their host or the bucket does not answer. No request waits for it."""

BUDGET_REASONS = frozenset((Reason.BUDGET_SPENT, Reason.SENDER_BUDGET_SPENT))
"""The creates of this UTC day are used up: the message waits for the next day, and never becomes a dead letter."""

SHARED = ACCOUNT_FAULTS | VENDOR_FAULTS | PACE_REASONS | STACK_FAULTS | RECORDING_FAULTS | {Reason.BUDGET_SPENT}
"""Reasons that every request would meet alike."""
