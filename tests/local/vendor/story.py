"""The possible courses of a task of the stand-in, as values: its ending, and the replies to single polls.

    vendor.plan_task("Night Train", fails(refunded=True).after(unknown_task(), rate_limited("3")))

The ending is the truth, which the webhook reports too. Single polls can get other replies first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self

from tests.local.vendor import answer as vendor_answer
from tests.local.vendor.answer import Answer, Generation, Headers, VendorError
from tests.local.vendor.behaviour import WHOLE, Cut, Delivery, Never


@dataclass(frozen=True, slots=True)
class Succeeds:
    """A song of `clips` clips. `fields` override the usual fields of a clip.

    After the end, the first `polls_without_data` polls get a success without clips.
    """

    polls_without_data: int = 0
    clips: int = 1
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fails:
    """No song. `refunded` is the vendor's statement about the credits, None: no statement. If True they come back.

    The older generation has no `timeout`: its polls return `failed`. `text` overrides the usual message.
    """

    refunded: bool | None
    code: Literal["failed", "timeout"] = "failed"
    http_status: int = 200
    text: str | None = None

    @property
    def message(self) -> str:
        if self.text is not None:
            return self.text
        cause = "The generation timed out." if self.code == "timeout" else "The generation failed."
        return cause + _REFUND[self.refunded]


_REFUND: Final = {
    True: " Your credits have been refunded.",
    False: " Your credits were not refunded.",
    None: "",
}


@dataclass(frozen=True, slots=True)
class NeverEnds:
    """The task runs forever, without a webhook."""


Ending = Succeeds | Fails | NeverEnds


@dataclass(frozen=True, slots=True)
class Truth:
    """The real state of the task."""


@dataclass(frozen=True, slots=True)
class UnknownTask:
    """The reply for a task that does not exist."""


@dataclass(frozen=True, slots=True)
class AnyStatus:
    """Any status; in the older generation it is the state of a clip."""

    status: str


@dataclass(frozen=True, slots=True)
class StreamingClips:
    """The song's clips: the first `finished` are done, the others are still streams."""

    finished: int


@dataclass(frozen=True, slots=True)
class ClipsWithoutLink:
    """Success, although no clip has a link to its recording: `link` is in place of it."""

    link: Literal[""] | None


@dataclass(frozen=True, slots=True)
class PollReply:
    """The reply to one poll."""

    content: Answer | Truth | UnknownTask | AnyStatus | StreamingClips | ClipsWithoutLink = Truth()
    delivery: Delivery = WHOLE


TRUTH: Final = PollReply()


@dataclass(frozen=True, slots=True)
class TaskStory:
    """The course of one task. It runs for `seconds`, None: for the vendor's `task_seconds`.

    The first polls get the replies `first_polls`, one each, and all later polls get `every_poll`. `generation` is the
    shape of the answers, None: the vendor's.
    """

    ending: Ending = field(default_factory=Succeeds)
    seconds: float | None = None
    generation: Generation | None = None
    first_polls: tuple[PollReply, ...] = ()
    every_poll: PollReply = TRUTH
    unknown_seconds: float = 0.0

    def after(self, *replies: PollReply) -> Self:
        """The same, after polls with these replies."""
        return replace(self, first_polls=replies)

    def unknown_for(self, seconds: float) -> Self:
        """The same, but polls do not find the task until `seconds` after its create, as with a lagging replica."""
        return replace(self, unknown_seconds=seconds)

    def always(self, reply: PollReply) -> Self:
        """The same, but every poll gets this reply in place of the truth."""
        return replace(self, every_poll=reply)


def succeeds(
    *, polls_without_data: int = 0, clips: int = 1, seconds: float | None = None, generation: Generation | None = None
) -> TaskStory:
    return TaskStory(Succeeds(polls_without_data, clips), seconds, generation)


def makes_clip(**fields: object) -> TaskStory:
    """A success whose clip has these fields in place of the usual: `makes_clip(duration=None)`."""
    return TaskStory(Succeeds(fields=fields))


def fails(
    *,
    refunded: bool | None,
    code: Literal["failed", "timeout"] = "failed",
    seconds: float | None = None,
    generation: Generation | None = None,
) -> TaskStory:
    return TaskStory(Fails(refunded, code), seconds, generation)


def times_out(*, seconds: float | None = None) -> TaskStory:
    """A failure that polls report as HTTP 504, in the vendor's form, with a refund."""
    text = "Task failed due to timeout. Credits were previously refunded."
    return TaskStory(Fails(refunded=True, code="timeout", http_status=504, text=text), seconds)


def never_finishes(generation: Generation | None = None) -> TaskStory:
    return TaskStory(NeverEnds(), generation=generation)


def unknown_task() -> PollReply:
    """400 "task not found." from the older generation, 404 from the newer."""
    return PollReply(UnknownTask())


def says(status: str) -> PollReply:
    """A status that the vendor's pages do not list."""
    return PollReply(AnyStatus(status))


def streaming(finished: int = 0) -> PollReply:
    """Success, although all clips after the first `finished` are `streaming` and link to a stream."""
    return PollReply(StreamingClips(finished))


def without_link(link: Literal[""] | None = None) -> PollReply:
    """Success, although the `audio_url` of every clip is null or empty."""
    return PollReply(ClipsWithoutLink(link))


def gateway(status: int) -> PollReply:
    """The HTML page of a front end."""
    return PollReply(vendor_answer.gateway_page(status))


def answers(answer: Answer) -> PollReply:
    """Any complete answer."""
    return PollReply(answer)


def refuses(error: VendorError) -> PollReply:
    """The vendor's error: 401, 500, 502 ..."""
    return PollReply(error.answer())


def rate_limited(retry_after: str | None = None) -> PollReply:
    """429; `retry_after` is sent unchanged."""
    headers: Headers = () if retry_after is None else (("Retry-After", retry_after),)
    return PollReply(vendor_answer.RATE_LIMITED.answer(headers=headers))


def html_page() -> PollReply:
    return PollReply(Answer(200, b"<!doctype html><title>One moment, please</title>", "text/html"))


def hangs() -> PollReply:
    """The poll is read and never answered."""
    return PollReply(delivery=Never())


def cuts(at: Literal["start", "head", "body"], *, reset: bool = True) -> PollReply:
    """The true answer is cut."""
    return PollReply(delivery=Cut(at, reset))
