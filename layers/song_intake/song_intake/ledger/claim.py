"""The right to send one create."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from song_intake.domain.frozen import frozen

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.domain.trace import Trace
    from song_intake.ledger.row import Row


@frozen
class Claim:
    """The right to send one create for this request. `owner`: a random id of this claim."""

    request: SongRequest
    owner: str
    has_token: bool = False
    """Whether the request's task token is on the row."""
    trace: Trace | None = None
    """The trace of the request, as the row has it."""

    def on(self, row: Row) -> Self:
        """The claim, with what its row has."""
        is_own = self.trace is not None and self.trace.trace_id == row.trace_id
        has_token = self.request.task_token in row.task_tokens
        return replace(self, has_token=has_token, trace=self.trace if is_own else row.trace)
