"""A song request, and how it is read from a message.

    message body --unwrap--> document --contract--> SongRequest
                                                    InvalidRequest, with every error

Only `create_body` has the lyrics and the description, and no repr shows it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self, cast

from song_intake.contract import envelopes, schema, strict_json
from song_intake.contract.errors import FieldError, InvalidRequest
from song_intake.contract.request_id import as_request_id
from song_intake.contract.strict_json import JsonValue
from song_intake.domain.frozen import frozen

__all__ = ["FieldError", "InvalidRequest", "SongRequest"]

# The fields of the contract that are for this stack only, and are not sent to the music API.
_INTAKE_FIELDS: Final = frozenset({"request_id", "metadata", "task_token", "not_after"})


@frozen
class SongRequest:
    """One valid request.

    create_body: the JSON that is posted to the music API, byte for byte.
    fingerprint: the SHA-256 of create_body, in hex. Two messages with the same fingerprint request the same song,
    whatever the order of their fields and their white space.
    """

    request_id: str
    create_body: bytes = field(repr=False)
    fingerprint: str
    metadata: Mapping[str, str] = field(repr=False)
    task_token: str | None = field(default=None, repr=False)
    has_own_webhook: bool = False
    """Whether the request names a webhook of the caller's own."""
    not_after: float | None = None
    """Seconds since 1970: a song that is not created by then never is. None: whenever it can be created."""

    @classmethod
    def parse(cls, body: str, message_id: str, known_id: str | None = None) -> Self:
        """Read the request from a message body, removing any envelopes.

        Its id is the first of these that exists: the caller's `request_id`; `known_id`, the id of the message's row;
        the id that SNS, EventBridge or Pipes gave the message; `message_id`.

        Raises InvalidRequest with every error of the message.
        """
        message = envelopes.unwrap(body)
        fields = _checked(message)
        # An id that is not a request id was not written by us or by AWS: it is skipped.
        candidates = (fields.get("request_id"), known_id, message.publisher_id, message_id)
        request_id = next((found for found in map(as_request_id, candidates) if found), None)
        if request_id is None:
            raise InvalidRequest(
                [FieldError("$", "requestId", "must have a request_id, since the message's id cannot be one")],
                task_token=_readable_token(message.document),
            )
        create_body = strict_json.canonical(_create_request(fields))
        return cls(
            request_id=request_id,
            create_body=create_body,
            fingerprint=hashlib.sha256(create_body).hexdigest(),
            metadata=MappingProxyType(cast("dict[str, str]", fields.get("metadata", {}))),
            task_token=cast("str | None", fields.get("task_token")),
            has_own_webhook="webhook_url" in fields,
            not_after=_moment(fields["not_after"]) if "not_after" in fields else None,
        )


def _checked(message: envelopes.Unwrapped) -> dict[str, JsonValue]:
    if message.size > envelopes.MAX_REQUEST_BYTES:
        limit = f"must be at most {envelopes.MAX_REQUEST_BYTES:,} bytes of UTF-8"
        errors = [FieldError("$", "maxBytes", limit)]
    else:
        errors = schema.errors_in(message.document) or _errors_of_the_calendar(message.document)
    if errors:
        raise InvalidRequest(errors, _readable_id(message.document), _readable_token(message.document))
    return cast("dict[str, JsonValue]", message.document)


def _errors_of_the_calendar(document: JsonValue) -> list[FieldError]:
    """A schema cannot know how long a month is. The document has no other errors."""
    try:
        _moment(cast("dict[str, JsonValue]", document).get("not_after", 0))
    except ValueError:
        return [schema.NO_MOMENT]
    return []


def _moment(not_after: JsonValue) -> float:
    """Seconds since 1970. Raises ValueError for a day that its month does not have."""
    if isinstance(not_after, str):
        return datetime.fromisoformat(not_after.upper()).timestamp()
    return float(cast("float", not_after))


def _readable_id(document: JsonValue) -> str | None:
    return as_request_id(document.get("request_id")) if isinstance(document, dict) else None


def _readable_token(document: JsonValue) -> str | None:
    token = document.get("task_token") if isinstance(document, dict) else None
    limit = cast("int", schema.FIELDS["task_token"]["maxLength"])
    return token if isinstance(token, str) and 0 < len(token) <= limit else None


def _create_request(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    vendor_fields = {name: _plain(value) for name, value in fields.items() if name not in _INTAKE_FIELDS}
    return {"task_type": schema.FIELDS["task_type"]["default"], **vendor_fields}


def _plain(value: JsonValue) -> JsonValue:
    """1.0 and 1 are the same number in JSON, and a service on the way may write either: one fingerprint for both."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
