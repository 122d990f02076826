"""What the stand-in of the music API can be told about a task, as values: how it ends, and what polls get to hear.

    vendor.plan_task("Night Train", fails(refunded=True).after(unknown_task(), rate_limited("3")))

The ending is the truth, which the webhook tells too. The replies before it are what single polls see instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self

from tests.local.vendor import answer as vendor_answer
from tests.local.vendor.answer import Answer, Generation, Headers, VendorError
from tests.local.vendor.behaviour import WHOLE, Cut, Delivery, Never


@dataclass(frozen=True, slots=True)
class Succeeds:
    """A song of `clips` clips. `fields` replaces what a clip usually says, for a test that needs one certain form.

    After the end, `polls_without_data` polls hear of the success and get no clips yet.
    """

    polls_without_data: int = 0
    clips: int = 1
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fails:
    """No song. `refunded` is what the vendor says of the credits, None: not a word; if True they are given back.

    The older generation knows no `timeout`: its polls say `failed`.
    """

    refunded: bool | None
    code: Literal["failed", "timeout"] = "failed"
    http_status: int = 200
    text: str | None = None

    @property
    def message(self) -> str:
        if self.text is not None:
            return self.text
        said = "The generation timed out." if self.code == "timeout" else "The generation failed."
        return said + _REFUND[self.refunded]


_REFUND: Final = {
    True: " Your credits have been refunded.",
    False: " Your credits were not refunded.",
    None: "",
}


@dataclass(frozen=True, slots=True)
class NeverEnds:
    """It runs and runs. There is no webhook."""


Ending = Succeeds | Fails | NeverEnds


@dataclass(frozen=True, slots=True)
class Truth:
    """The state of the task at that moment."""


@dataclass(frozen=True, slots=True)
class UnknownTask:
    """As if there were no such task."""


@dataclass(frozen=True, slots=True)
class StatusWord:
    """A status, in the older generation a clip's state, in a word of the test's."""

    word: str


@dataclass(frozen=True, slots=True)
class StreamingClips:
    """The song's clips, of which the first `finished` are done and the others can only be streamed so far."""

    finished: int


@dataclass(frozen=True, slots=True)
class ClipsWithoutLink:
    """Success, though no clip has a link to its recording: `link` is what it has in place of one."""

    link: Literal[""] | None


@dataclass(frozen=True, slots=True)
class PollReply:
    """What one poll gets."""

    says: Answer | Truth | UnknownTask | StatusWord | StreamingClips | ClipsWithoutLink = Truth()
    delivery: Delivery = WHOLE


TRUTH: Final = PollReply()


@dataclass(frozen=True, slots=True)
class TaskStory:
    """What becomes of one task. It runs for `seconds`, None: for the vendor's `task_seconds`.

    The `first_polls` get these replies, one each; all later ones get `every_poll`. `generation` is the shape of the
    answers, None: the vendor's.
    """

    ending: Ending = field(default_factory=Succeeds)
    seconds: float | None = None
    generation: Generation | None = None
    first_polls: tuple[PollReply, ...] = ()
    every_poll: PollReply = TRUTH
    unknown_seconds: float = 0.0

    def after(self, *replies: PollReply) -> Self:
        """The same, after polls that were told something else."""
        return replace(self, first_polls=replies)

    def unknown_for(self, seconds: float) -> Self:
        """The same, but for so long after the create no poll finds the task, as in a replica that lags."""
        return replace(self, unknown_seconds=seconds)

    def always(self, reply: PollReply) -> Self:
        """The same, though no poll will ever hear of it."""
        return replace(self, every_poll=reply)


def succeeds(
    *, polls_without_data: int = 0, clips: int = 1, seconds: float | None = None, generation: Generation | None = None
) -> TaskStory:
    return TaskStory(Succeeds(polls_without_data, clips), seconds, generation)


def makes_clip(**fields: object) -> TaskStory:
    """A success whose clip says these things in place of the usual: `makes_clip(duration=None)`."""
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
    """A failure that polls report as HTTP 504, in the vendor's form, and whose credits came back."""
    text = "Task failed due to timeout. Credits were previously refunded."
    return TaskStory(Fails(refunded=True, code="timeout", http_status=504, text=text), seconds)


def never_finishes(generation: Generation | None = None) -> TaskStory:
    return TaskStory(NeverEnds(), generation=generation)


def unknown_task() -> PollReply:
    """400 "task not found." from the older generation, 404 from the newer."""
    return PollReply(UnknownTask())


def says(word: str) -> PollReply:
    """A status that no page of the vendor's lists."""
    return PollReply(StatusWord(word))


def streaming(finished: int = 0) -> PollReply:
    """Success, though all clips after the first `finished` are `streaming`: their link is that of a stream."""
    return PollReply(StreamingClips(finished))


def without_link(link: Literal[""] | None = None) -> PollReply:
    """Success, though the `audio_url` of every clip is null or empty."""
    return PollReply(ClipsWithoutLink(link))


def gateway(status: int) -> PollReply:
    """The HTML page of a front end."""
    return PollReply(vendor_answer.gateway_page(status))


def answers(answer: Answer) -> PollReply:
    """Any whole answer."""
    return PollReply(answer)


def refuses(error: VendorError) -> PollReply:
    """The vendor's error: 401, 500, 502 ..."""
    return PollReply(error.answer())


def rate_limited(retry_after: str | None = None) -> PollReply:
    """429; `retry_after` is sent as it is."""
    headers: Headers = () if retry_after is None else (("Retry-After", retry_after),)
    return PollReply(vendor_answer.RATE_LIMITED.answer(headers=headers))


def html_page() -> PollReply:
    return PollReply(Answer(200, b"<!doctype html><title>One moment, please</title>", "text/html"))


def hangs() -> PollReply:
    """The poll is read and never answered."""
    return PollReply(delivery=Never())


def cuts(at: Literal["start", "head", "body"], *, reset: bool = True) -> PollReply:
    """The true answer breaks off."""
    return PollReply(delivery=Cut(at, reset))
