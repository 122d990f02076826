"""What a request and a doubt are on its row, as DynamoDB's values."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from song_intake.ledger_row import Status

if TYPE_CHECKING:
    from song_intake.ledger_table import Values
    from song_intake.song_request import SongRequest

IDENTITY = "fingerprint = :fingerprint, message_id = :message_id, metadata = :metadata, task_token = :task_token"
"""In an update expression: `identity`, set."""


def identity(request: SongRequest, message_id: str) -> Values:
    """Which request it is, and whose message brought it."""
    return {
        "fingerprint": {"S": request.fingerprint},
        "message_id": {"S": message_id},
        "metadata": {"M": {name: {"S": text} for name, text in request.metadata.items()}},
        "task_token": {"S": request.task_token or ""},
    }


def placeholders(values: Values) -> Values:
    """As an update expression names them."""
    return {f":{name}": value for name, value in values.items()}


def doubt_for(window: float) -> Values:
    """`doubt` is the key of the sparse index that lists what is in doubt; only such rows have it. In seconds."""
    return {":doubt": {"S": Status.IN_DOUBT}, ":doubt_until": {"N": f"{time.time() + window:.3f}"}}
