"""The answers and errors of the stand-in for the music API, as values.

Two generations of the vendor's pages disagree about the shapes, so the stand-in has both. The older has `code`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.client import responses
from typing import Final, assert_never

Headers = tuple[tuple[str, str], ...]


class Generation(StrEnum):
    OLDER = "older"
    NEWER = "newer"


class TaskIdForm(StrEnum):
    """Where a create's answer carries the task_id, and as what."""

    TEXT = "a string at the top"
    INTEGER = "an integer at the top"
    IN_DATA = "under data"
    IN_FIRST_OF_DATA = "in the first object of data"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, in two parts because a delivery may be cut in either."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = ()

    @property
    def head(self) -> bytes:
        """The status line, the headers and the empty line after them."""
        lines = [
            f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


@dataclass(frozen=True, slots=True)
class VendorError:
    """A row of the vendor's error table."""

    status: int
    type: str
    text: str

    def answer(self, generation: Generation = Generation.NEWER, headers: Headers = ()) -> Answer:
        payload = {"type": self.type, "error": self.text}
        coded = {"code": self.status, **payload}
        return json_answer(coded if generation is Generation.OLDER else payload, self.status, headers)


UNAUTHORIZED: Final = VendorError(401, "unauthorized", "The API key is missing or invalid.")
INSUFFICIENT_CREDITS: Final = VendorError(402, "insufficient_credits", "You have run out of credits.")
CREDITS_USED_UP: Final = VendorError(403, "forbidden", "The remaining credits are not enough. Please top up.")
NO_SUBSCRIPTION: Final = VendorError(403, "forbidden", "You do not have an active subscription. Please subscribe.")
LYRICS_REFUSED: Final = VendorError(403, "forbidden", "The lyrics contain copyrighted or inappropriate text.")
NOT_FOUND: Final = VendorError(404, "not_found", "The resource was not found.")
METHOD_NOT_ALLOWED: Final = VendorError(405, "method_not_allowed", "The method is not allowed.")
ENDPOINT_RETIRED: Final = VendorError(410, "endpoint_retired", "This task_type is retired.")
RATE_LIMITED: Final = VendorError(429, "rate_limited", "Too many requests.")
INTERNAL_ERROR: Final = VendorError(500, "internal_error", "Something went wrong.")
UPSTREAM_FAILED: Final = VendorError(502, "upstream_error", "The producer did not answer.")
UPSTREAM_UNAVAILABLE: Final = VendorError(503, "upstream_error", "The producer is not available.")
TIMEOUT: Final = VendorError(504, "timeout", "The task timed out. Credits were refunded.")


def validation_error(text: str) -> VendorError:
    """The error for an invalid request; `text` names the field, as the vendor's text does."""
    return VendorError(400, "validation_error", text)


def created(task_id: str, generation: Generation, padding: int = 0, form: TaskIdForm = TaskIdForm.TEXT) -> Answer:
    """The usual answer to a create, made `padding` bytes longer by a field that no reader needs."""
    payload: dict[str, object] = {**_with_task_id(task_id, form), "message": "success"}
    if generation is Generation.OLDER:
        payload = {"code": 200, **payload}
    if padding:
        payload["padding"] = "x" * padding
    return json_answer(payload)


def _with_task_id(task_id: str, form: TaskIdForm) -> dict[str, object]:
    match form:
        case TaskIdForm.TEXT:
            return {"task_id": task_id}
        case TaskIdForm.INTEGER:
            return {"task_id": int(task_id)}
        case TaskIdForm.IN_DATA:
            return {"data": {"task_id": task_id}}
        case TaskIdForm.IN_FIRST_OF_DATA:
            return {"data": [{"task_id": task_id}]}
        case unreachable:
            assert_never(unreachable)


def error_in_200(error: VendorError) -> Answer:
    """HTTP 200 whose body is the error, with the status that it means in `code`."""
    return json_answer({"code": error.status, "type": error.type, "message": error.text})


def gateway_page(status: int) -> Answer:
    """The HTML page of a front end that has no deployment for the route, or that turns the client away."""
    title = f"{status} {responses.get(status, 'Unknown')}"
    return Answer(status, f"<!doctype html><title>{title}</title><h1>{title}</h1>".encode(), "text/html")


def json_answer(payload: Mapping[str, object], status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(status, json.dumps(payload).encode(), headers=headers)
