"""The possible behaviours of the stand-in for one create, as values.

A behaviour has three independent parts: the answer, its delivery, and whether a song is created and charged. A client
cannot see the last part, so every function that allows both requires the argument `creates`.

    vendor.plan("Title of the song", rate_limited("3"), hang(creates=True))
"""

from dataclasses import dataclass
from typing import Final, Literal

from tests.local.vendor.answer import (
    INTERNAL_ERROR,
    RATE_LIMITED,
    Answer,
    Generation,
    Headers,
    TaskIdForm,
    VendorError,
    error_in_200,
    gateway_page,
    json_answer,
)


@dataclass(frozen=True, slots=True)
class Whole:
    """The answer is sent at once."""


@dataclass(frozen=True, slots=True)
class Drip:
    """One part of the answer is sent byte by byte, `interval` seconds apart, and the other part at once."""

    part: Literal["head", "body"]
    interval: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends before the answer, halfway through its head, or halfway through its body.

    With `reset` the client gets a TCP reset, without it an end of stream without a TLS close.
    """

    at: Literal["start", "head", "body"]
    reset: bool


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing is sent: the connection stays open until the client or the stand-in closes it."""


Delivery = Whole | Drip | Cut | Never
WHOLE: Final = Whole()


@dataclass(frozen=True, slots=True)
class UsualAnswer:
    """The answer with the task_id of the created song; without a generation, in the vendor's current one."""

    generation: Generation | None = None
    padding: int = 0
    form: TaskIdForm = TaskIdForm.TEXT


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The behaviour for one create. `delay` is in seconds and is added to the vendor's latency."""

    answer: Answer | UsualAnswer
    creates: bool
    delivery: Delivery = WHOLE
    delay: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.answer, UsualAnswer) and not self.creates:
            raise ValueError("the usual answer has a task_id, so it needs a create")


def usual(generation: Generation | None = None, *, delay: float = 0.0) -> Behaviour:
    """A song and its usual answer, `delay` seconds later than for other songs."""
    return Behaviour(UsualAnswer(generation), creates=True, delay=delay)


def task_id_as(form: TaskIdForm) -> Behaviour:
    """A song, and an answer that carries its task_id in that form."""
    return Behaviour(UsualAnswer(form=form), creates=True)


def refuses(error: VendorError, generation: Generation = Generation.NEWER) -> Behaviour:
    """An error after which there is no song and no charge."""
    return Behaviour(error.answer(generation), creates=False)


def rate_limited(retry_after: str | None = None) -> Behaviour:
    """429; `retry_after` is sent unchanged: seconds, an HTTP date, or an invalid value."""
    headers: Headers = () if retry_after is None else (("Retry-After", retry_after),)
    return Behaviour(RATE_LIMITED.answer(headers=headers), creates=False)


def refuses_in_200(error: VendorError) -> Behaviour:
    """HTTP 200 with the error in its body, after which there is no song and no charge."""
    return Behaviour(error_in_200(error), creates=False)


def gateway(status: int, *, creates: bool = False) -> Behaviour:
    """The HTML page of a front end. With `creates` there is a song, and the page replaces its answer."""
    return Behaviour(gateway_page(status), creates)


def fails(error: VendorError, *, creates: bool) -> Behaviour:
    """A 5xx. Only the vendor knows whether there is a song."""
    return Behaviour(error.answer(), creates=creates)


def redirects(status: int, location: str, *, creates: bool = False) -> Behaviour:
    return Behaviour(Answer(status, b"", headers=(("Location", location),)), creates=creates)


def answers(status: int, body: bytes, content_type: str = "application/json", *, creates: bool) -> Behaviour:
    """Any other complete answer."""
    return Behaviour(Answer(status, body, content_type), creates=creates)


def html_page(*, creates: bool) -> Behaviour:
    """200 with an HTML page, as a proxy in front of the vendor may send."""
    return answers(200, b"<!doctype html><title>One moment, please</title>", "text/html", creates=creates)


def no_task_id(*, creates: bool) -> Behaviour:
    """200 and `success`, without a task_id."""
    return Behaviour(json_answer({"code": 200, "message": "success"}), creates=creates)


def invalid_json(*, creates: bool) -> Behaviour:
    """200 with a truncated JSON body, whose Content-Length is right."""
    return answers(200, b'{"code": 200, "task_id": "d8b5', creates=creates)


def huge_answer(size: int = 1280 * 1024) -> Behaviour:
    """The usual answer, longer than `size` bytes: by default too long for a limit of 1 MiB."""
    return Behaviour(UsualAnswer(padding=size), creates=True)


def hang(*, creates: bool) -> Behaviour:
    """The request is read and never answered."""
    answer = UsualAnswer() if creates else INTERNAL_ERROR.answer()
    return Behaviour(answer, creates, delivery=Never())


def drip(part: Literal["head", "body"], interval: float) -> Behaviour:
    """A song, and a valid answer that arrives so slowly that no single read times out."""
    return Behaviour(UsualAnswer(), creates=True, delivery=Drip(part, interval))


def cut(at: Literal["start", "head", "body"], *, creates: bool, reset: bool = True) -> Behaviour:
    """The answer is cut. Without a song, the answer that is cut is a 500."""
    answer = UsualAnswer() if creates else INTERNAL_ERROR.answer()
    return Behaviour(answer, creates, delivery=Cut(at, reset))
