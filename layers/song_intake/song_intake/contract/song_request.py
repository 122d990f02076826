"""What a song request is.

    message body --unwrap--> document --contract--> SongRequest
                                                    InvalidRequest, with every error

The lyrics and the description live in `create_body` alone, which no repr shows.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self, cast

from song_intake.contract import envelopes, schema, strict_json
from song_intake.contract.errors import FieldError, InvalidRequest
from song_intake.contract.request_id import as_request_id
from song_intake.contract.strict_json import JsonValue

__all__ = ["FieldError", "InvalidRequest", "SongRequest"]

# The fields of the contract that the music API does not know: they stay here.
_OURS: Final = frozenset({"request_id", "metadata", "task_token"})


@dataclass(frozen=True, slots=True)
class SongRequest:
    """One valid request.

    `create_body` is what is posted to the music API, byte for byte, and `fingerprint` its SHA-256 in hex: two messages
    with the same fingerprint ask for the same song, in whatever order and spacing they were written.
    """

    request_id: str
    create_body: bytes = field(repr=False)
    fingerprint: str
    metadata: Mapping[str, str] = field(repr=False)
    task_token: str | None = field(default=None, repr=False)
    has_own_webhook: bool = False
    """Whether the music API is to tell the caller itself how the song ended."""

    @classmethod
    def parse(cls, body: str, message_id: str, known_id: str | None = None) -> Self:
        """The request in a message body, out of any envelope.

        Its id is the caller's `request_id`; else `known_id`, under which the message went before; else the id that
        SNS, EventBridge or Pipes gave it; else `message_id`.

        Raises InvalidRequest with every error of the message.
        """
        message = envelopes.unwrap(body)
        fields = _checked(message)
        # An id of either kind that does not fit the pattern was not written by us or by AWS: it is passed over.
        candidates = (fields.get("request_id"), known_id, message.publisher_id)
        request_id = next((found for found in map(as_request_id, candidates) if found), message_id)
        create_body = strict_json.canonical(_create_request(fields))
        return cls(
            request_id=request_id,
            create_body=create_body,
            fingerprint=hashlib.sha256(create_body).hexdigest(),
            metadata=MappingProxyType(cast("dict[str, str]", fields.get("metadata", {}))),
            task_token=cast("str | None", fields.get("task_token")),
            has_own_webhook="webhook_url" in fields,
        )


def _checked(message: envelopes.Unwrapped) -> dict[str, JsonValue]:
    if message.size > envelopes.MAX_REQUEST_BYTES:
        limit = f"must be at most {envelopes.MAX_REQUEST_BYTES:,} bytes of UTF-8"
        errors = [FieldError("$", "maxBytes", limit)]
    else:
        errors = schema.errors_in(message.document)
    if errors:
        raise InvalidRequest(errors, _readable_id(message.document))
    return cast("dict[str, JsonValue]", message.document)


def _readable_id(document: JsonValue) -> str | None:
    return as_request_id(document.get("request_id")) if isinstance(document, dict) else None


def _create_request(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    theirs = {name: _plain(value) for name, value in fields.items() if name not in _OURS}
    return {"task_type": schema.FIELDS["task_type"]["default"], **theirs}


def _plain(value: JsonValue) -> JsonValue:
    """1.0 and 1 are one number in JSON, and a service in between may write either: they share a fingerprint."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
