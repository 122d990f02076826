"""The tokens of the Step Functions tasks that wait for one song: a set on its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.domain.recording import Keeping
from song_intake.domain.status import Status

if TYPE_CHECKING:
    from song_intake.ledger.table import Existing, LedgerTable, Written

# Our choice. A token has up to 2,048 characters, and each write of a row is paid for by its size.
MOST_TASK_TOKENS = 10


class TaskTokens:
    """Safe to share between threads. Both methods raise LedgerUnavailable."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def add(self, request_id: str, task_token: str) -> Written | Existing:
        """Have the task completed when the song ends. Existing: the song has ended, or the set is full.

        The oldest tokens stay. Whoever records the end of a song, or of the copying of its recordings, answers the
        tokens that are on the row then; one that comes later finds the end here.
        """
        return self._table.annotate(
            request_id,
            "ADD task_tokens :token",
            condition="""(#status IN (:submitting, :in_doubt, :submitted) OR keeping = :pending)
                AND (attribute_not_exists(task_tokens) OR size(task_tokens) < :most)""",
            values={
                ":token": {"SS": [task_token]},
                ":most": {"N": str(MOST_TASK_TOKENS)},
                ":submitting": {"S": Status.SUBMITTING},
                ":in_doubt": {"S": Status.IN_DOUBT},
                ":submitted": {"S": Status.SUBMITTED},
                ":pending": {"S": Keeping.PENDING},
            },
        )

    def remove(self, request_id: str, task_token: str) -> None:
        """The task was completed."""
        self._table.annotate(
            request_id,
            "DELETE task_tokens :token",
            condition="attribute_exists(request_id)",
            values={":token": {"SS": [task_token]}},
        )
