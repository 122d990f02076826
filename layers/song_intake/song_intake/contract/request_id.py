"""What a request id is: the rule of song_request.schema.json, for functions that do not load the schema."""

import re
from typing import Final

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def as_request_id(value: object) -> str | None:
    """The value, if it is a request id."""
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else None
