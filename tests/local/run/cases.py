"""What `make run` sends, and how each of it has to end: the samples of events/, and what a music API can do to a song.

The stand-in finds a song by its title, and so do we: every song here has a title of its own.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.local.intake import sample
from tests.local.vendor.answer import (
    ENDPOINT_RETIRED,
    LYRICS_REFUSED,
    UPSTREAM_FAILED,
)
from tests.local.vendor.behaviour import (
    Behaviour,
    cut,
    fails,
    hang,
    no_task_id,
    rate_limited,
    refuses,
    usual,
)
from tests.local.vendor.story import TaskStory, succeeds
from tests.local.vendor.story import fails as task_fails
from tests.local.vendor.webhook import WebhookPlan, doubled, early, held, late, lost

DEAD_LETTER: Final = "dead letter"
"""In place of a status: the message got no row, only a dead letter."""

# Also inside a JSON text within the JSON of an envelope, where the quotes are escaped.
_TITLE = re.compile(r'title\\?":\s*\\?"([^"\\]+)')


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request has to end; `creates` are the songs that the music API made and charged.

    With `after` it has to be seen in that status before.
    """

    status: str
    reason: str | None
    creates: int
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request, the message that asks for it, and how often that is sent.

    `behaviours` are what the music API does with its first creates, `story` what becomes of its task, and `webhook`
    of its webhook; one that is held goes out once the request is in doubt. With `waits` it is sent only when all before
    it have ended: it means something else before.
    """

    name: str
    body: str
    ending: Ending
    times: int = 1
    behaviours: tuple[Behaviour, ...] = ()
    story: TaskStory | None = None
    webhook: WebhookPlan | None = None
    waits: bool = False

    @property
    def song(self) -> str | None:
        """The title of the song asked for; an invalid request asks for none."""
        found = _TITLE.search(self.body)
        return found.group(1) if found and self.ending.reason != "INVALID_REQUEST" else None


SUCCEEDED: Final = Ending("SUCCEEDED", None, 1)
FAILED: Final = Ending("FAILED", "FAILED_BY_VENDOR", 1)
SETTLED: Final = Ending("SUCCEEDED", None, 1, after="IN_DOUBT")
REFUSED: Final = Ending("REJECTED", "REFUSED", 0)
INVALID: Final = Ending(DEAD_LETTER, "INVALID_REQUEST", 0)
REUSED: Final = Ending(DEAD_LETTER, "REQUEST_ID_REUSED", 0)


def samples() -> Iterator[Case]:
    """The samples of events/, in the order and with the endings of their index."""
    ids: set[str] = set()
    for number, entry in enumerate(json.loads(sample("expected.json"))):
        name, body = entry["file"], sample(entry["file"])
        ending = Ending(DEAD_LETTER, entry["reason"], 0) if "reason" in entry else SUCCEEDED
        request_id = _request_id(body)
        story = _takes_its_time(number) if ending is SUCCEEDED else None
        yield Case(name, body, ending, story=story, waits=request_id in ids)
        ids |= {request_id} if request_id else set()


def _takes_its_time(number: int) -> TaskStory:
    """Songs end one after another: each webhook that comes while others are handled has a function process started."""
    return succeeds(seconds=0.5 + number / 4)


def _request_id(body: str) -> str | None:
    try:
        request_id = json.loads(body).get("request_id")
    except ValueError:
        return None
    return request_id if isinstance(request_id, str) else None


def generated() -> Iterator[Case]:
    """Everything mixed, as it would come: no case waits for another, but those that use an id again."""
    yield from _mixed(
        _unknown(),
        _good(),
        _settled_by_webhook(),
        _slow_and_retried(),
        _bad(),
        _followed(),
        _sent_many_times(),
        _refused(),
    )
    yield from _reused()


def while_out_of_credits() -> Iterator[Case]:
    """Sent while the account is empty."""
    for number in range(1, 7):
        yield _planned(f"out of credits, request {number}", SUCCEEDED)


def _mixed(*kinds: Iterable[Case]) -> Iterator[Case]:
    for one_of_each in itertools.zip_longest(*kinds):
        yield from (case for case in one_of_each if case is not None)


def _good() -> Iterator[Case]:
    places = ("Harbour", "Orchard", "Staircase", "Platform")
    for number, (time, place) in enumerate(itertools.product(("Morning", "Midday", "Evening", "Midnight"), places)):
        title = f"{time} at the {place}"
        # Every fourth has no id of its own: the message's serves.
        own_id = {"request_id": f"good-{number:02}"} if number % 4 else {}
        body = {"title": title, "sound": "slow folk, one guitar", "make_instrumental": number % 2 == 0}
        yield Case(title, json.dumps(body | own_id), SUCCEEDED, story=_takes_its_time(number))


def _slow_and_retried() -> Iterator[Case]:
    behaviours: dict[str, tuple[Behaviour, ...]] = {
        "slow: 0.9 s": (usual(delay=0.9),),
        "429, Retry-After: 2, then made": (rate_limited("2"),),
        "429 twice, then made slowly": (rate_limited(), rate_limited("1"), usual(delay=0.6)),
        "slow: 1.2 s": (usual(delay=1.2),),
        "429 three times, then made": (rate_limited("1"),) * 3,
        "slow: 1.5 s": (usual(delay=1.5),),
    }
    for title, planned in behaviours.items():
        yield _planned(title, SUCCEEDED, *planned)


def _refused() -> Iterator[Case]:
    yield _planned("403, lyrics refused", REFUSED, refuses(LYRICS_REFUSED))
    yield _planned("410, retired", REFUSED, refuses(ENDPOINT_RETIRED))


def _settled_by_webhook() -> Iterator[Case]:
    """The create's answer is lost, and the music API's webhook tells that there is a song."""
    behaviours = {
        "no answer, but a webhook": hang(creates=True),
        "502, but a webhook": fails(UPSTREAM_FAILED, creates=True),
        "cut answer, but a webhook": cut("body", creates=True),
        "no task_id, but a webhook": no_task_id(creates=True),
    }
    for title, behaviour in behaviours.items():
        yield _planned(title, SETTLED, behaviour, webhook=held())


def _unknown() -> Iterator[Case]:
    """The create's answer is lost, and nobody ever tells."""
    behaviours = {
        "no answer, and no song": hang(creates=False),
        "502, and the webhook lost": fails(UPSTREAM_FAILED, creates=True),
    }
    for title, behaviour in behaviours.items():
        ending = Ending("IN_DOUBT", "OUTCOME_UNKNOWN", int(behaviour.creates))
        yield _planned(title, ending, behaviour, webhook=lost())


def _followed() -> Iterator[Case]:
    """Submitted without trouble; then it is the task or its webhook."""
    yield _planned("failed, with a refund", FAILED, story=task_fails(refunded=True))
    webhooks = {
        "webhook twice at once": doubled(),
        "webhook 2 s late": late(2),
        "webhook before the answer": early(),
        "webhook lost": lost(),
    }
    for title, webhook in webhooks.items():
        yield _planned(title, SUCCEEDED, webhook=webhook)


def _bad() -> Iterator[Case]:
    bodies = {
        "bad: not JSON": "a song about rain, please",
        "bad: an array": '["sound", "a song about rain"]',
        "bad: a misspelt field": '{"sonud": "polka", "lyrics": "la la la"}',
        "bad: four wrong values": '{"sound": "polka", "seed": 7, "mv": "FUZZ", "weirdness": 2, "title": false}',
        "bad: neither sound nor lyrics": '{"title": "Nothing to Sing"}',
        "bad: a key twice": '{"sound": "polka", "sound": "waltz"}',
        "bad: NaN": '{"sound": "polka", "weirdness": NaN}',
        "bad: half a character": '{"sound": "\\ud83d"}',
        "bad: 70 KB of lyrics": json.dumps({"lyrics": "la " * 24_000}),
    }
    for name, body in bodies.items():
        yield Case(name, body, INVALID)


def _sent_many_times() -> Iterator[Case]:
    for times in (2, 5, 12):
        title = f"sent {times} times at once"
        yield Case(title, _body(title, f"many-times-{times:02}"), SUCCEEDED, times)


def _reused() -> Iterator[Case]:
    for number in (5, 6):
        title = f"another song as good-{number:02}"
        yield Case(title, _body(title, f"good-{number:02}"), REUSED, waits=True)


def _planned(
    title: str,
    ending: Ending,
    *behaviours: Behaviour,
    story: TaskStory | None = None,
    webhook: WebhookPlan | None = None,
) -> Case:
    request_id = re.sub(r"\W+", "-", title)
    return Case(title, _body(title, request_id), ending, behaviours=behaviours, story=story, webhook=webhook)


def _body(title: str, request_id: str) -> str:
    return json.dumps({"request_id": request_id, "title": title, "sound": "slow folk", "lyrics": "[Verse]\nla la la"})
