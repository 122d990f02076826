"""What a request id is: the rule of song_request.schema.json, for functions that do not load the schema.

Every id that becomes a key of the ledger fits this rule, wherever it comes from: a body, an envelope, SQS, a message
attribute, a check, an operator, or the path of a webhook. So no id is the key of another item in the table (`#pace`,
`#intake`).
"""

import re
from typing import Final

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def as_request_id(value: object) -> str | None:
    """The value, if it is a request id."""
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else None
