"""The statuses of a request's row, and how one becomes another."""

from enum import StrEnum


class Status(StrEnum):
    """
    (none) | RETRYING | REJECTED --claim--> SUBMITTING
    SUBMITTING --task_id--> SUBMITTED                               a known task_id is recorded from any status
    SUBMITTING --not created, may succeed later--> RETRYING
    SUBMITTING --not created, never will be--> REJECTED
    SUBMITTING --any other outcome, or lease expired--> IN_DOUBT    never claimed again
    (none) | RETRYING --given up, or its not_after passed--> REJECTED
    (none) | RETRYING | REJECTED --operator: cancelled--> REJECTED  EXPIRED and CANCELLED: never claimed again
    IN_DOUBT --webhook, or an operator's task_id--> SUBMITTED
    IN_DOUBT --operator: "not created"--> REJECTED                  a redrive may claim it from then on
    SUBMITTED --the song ended--> SUCCEEDED | FAILED
    FAILED --a later poll finds the song--> SUCCEEDED               never the reverse
    """

    SUBMITTING = "SUBMITTING"
    RETRYING = "RETRYING"
    REJECTED = "REJECTED"
    IN_DOUBT = "IN_DOUBT"
    SUBMITTED = "SUBMITTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


FINAL = frozenset((Status.SUCCEEDED, Status.FAILED))
"""The song ended. FAILED may still become SUCCEEDED: what the API says last about a song that exists is right."""
