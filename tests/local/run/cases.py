"""What `make run` sends, and how each request has to end: the samples of events/, and each behaviour of a music API.

The stand-in and this run identify a song by its title, so every song here has a title of its own.
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
    TaskIdForm,
)
from tests.local.vendor.behaviour import (
    Behaviour,
    cut,
    fails,
    gateway,
    hang,
    no_task_id,
    rate_limited,
    refuses,
    task_id_as,
    usual,
)
from tests.local.vendor.oddity import Oddity
from tests.local.vendor.story import TaskStory, streaming, succeeds, times_out, without_link
from tests.local.vendor.story import fails as task_fails
from tests.local.vendor.story import gateway as gateway_on_poll
from tests.local.vendor.webhook import WebhookPlan, doubled, early, held, late, lost, odd

DEAD_LETTER: Final = "dead letter"
"""In place of a status: the message has no row, only a dead letter."""

# Also inside a JSON text within the JSON of an envelope, where the quotes are escaped.
_TITLE = re.compile(r'title\\?":\s*\\?"([^"\\]+)')


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request has to end. `creates` is the number of songs that the music API created and charged.

    With `after`, the run has to observe that status first.
    """

    status: str
    reason: str | None
    creates: int
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request, the body of its message, and how often the message is sent.

    `behaviours` are the music API's answers to its first creates, `story` is the course of its task, and `webhook` the
    delivery of its webhook. A held webhook is sent once the request is IN_DOUBT. With `waits`, the message is sent only
    after all earlier requests have ended, because it depends on them.
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
        """The title of the requested song; None for an invalid request."""
        found = _TITLE.search(self.body)
        return found.group(1) if found and self.ending.reason != "INVALID_REQUEST" else None


SUCCEEDED: Final = Ending("SUCCEEDED", None, 1)
FAILED: Final = Ending("FAILED", "FAILED_BY_VENDOR", 1)
RESOLVED: Final = Ending("SUCCEEDED", None, 1, after="IN_DOUBT")
REFUSED: Final = Ending("REJECTED", "REFUSED", 0)
INVALID: Final = Ending(DEAD_LETTER, "INVALID_REQUEST", 0)
REUSED: Final = Ending(DEAD_LETTER, "REQUEST_ID_REUSED", 0)


def samples() -> Iterator[Case]:
    """The samples of events/, in the order of their index and with its expected results."""
    ids: set[str] = set()
    for number, entry in enumerate(json.loads(sample("expected.json"))):
        name, body = entry["file"], sample(entry["file"])
        ending = _rejected(entry["reason"]) if "reason" in entry else SUCCEEDED
        request_id = _request_id(body)
        story = _staggered(number) if ending is SUCCEEDED else None
        yield Case(name, body, ending, story=story, waits=request_id in ids)
        ids |= {request_id} if request_id else set()


def _rejected(reason: str) -> Ending:
    """An expired request has a row; a rejected message has none."""
    return Ending("REJECTED" if reason == "EXPIRED" else DEAD_LETTER, reason, 0)


def _staggered(number: int) -> TaskStory:
    """Songs end one after another, because simultaneous webhooks would each start a function process."""
    return succeeds(seconds=0.5 + number / 4)


def _request_id(body: str) -> str | None:
    try:
        request_id = json.loads(body).get("request_id")
    except ValueError:
        return None
    return request_id if isinstance(request_id, str) else None


def generated() -> Iterator[Case]:
    """All kinds mixed, as in production. Only the cases that reuse an id wait for others.

    Three unknown outcomes in a row would pause the intake, so those kinds come one after the other.
    """
    yield from _mixed(
        # First, because a duplicate waits for the lease of the delivery that holds the claim.
        _sent_many_times(),
        itertools.chain(_unknown(), _resolved_by_webhook(), _odd_webhooks()),
        _good(),
        _slow_and_retried(),
        _bad(),
        _tracked(),
        _refused(),
        _turned_away(),
        _odd_answers(),
    )
    yield from _reused()


def while_out_of_credits() -> Iterator[Case]:
    """Sent while the account has no credits."""
    for number in range(1, 7):
        yield _planned(f"out of credits, request {number}", SUCCEEDED)


def _mixed(*kinds: Iterable[Case]) -> Iterator[Case]:
    for one_of_each in itertools.zip_longest(*kinds):
        yield from (case for case in one_of_each if case is not None)


def _good() -> Iterator[Case]:
    places = ("Harbour", "Orchard", "Staircase", "Platform")
    for number, (time, place) in enumerate(itertools.product(("Morning", "Midday", "Evening", "Midnight"), places)):
        title = f"{time} at the {place}"
        # Every fourth has no request_id, so the message id serves as one.
        own_id = {"request_id": f"good-{number:02}"} if number % 4 else {}
        body = {"title": title, "sound": "slow folk, one guitar", "make_instrumental": number % 2 == 0}
        yield Case(title, json.dumps(body | own_id), SUCCEEDED, story=_staggered(number))


def _slow_and_retried() -> Iterator[Case]:
    behaviours: dict[str, tuple[Behaviour, ...]] = {
        "slow: 0.9 s": (usual(delay=0.9),),
        "429, Retry-After: 2, then created": (rate_limited("2"),),
        "429 twice, then created slowly": (rate_limited(), rate_limited("1"), usual(delay=0.6)),
        "slow: 1.2 s": (usual(delay=1.2),),
        "429 three times, then created": (rate_limited("1"),) * 3,
        "slow: 1.5 s": (usual(delay=1.5),),
    }
    for title, planned in behaviours.items():
        yield _planned(title, SUCCEEDED, *planned)


def _refused() -> Iterator[Case]:
    yield _planned("403, lyrics refused", REFUSED, refuses(LYRICS_REFUSED))


def _turned_away() -> Iterator[Case]:
    """Not created, for a reason that is not the request's fault: it is retried."""
    behaviours: dict[str, tuple[Behaviour, ...]] = {
        "gateway page 404, then created": (gateway(404),),
        "410 in JSON, then created": (refuses(ENDPOINT_RETIRED),),
        "gateway page 403, then created": (gateway(403), gateway(405)),
    }
    for title, planned in behaviours.items():
        yield _planned(title, SUCCEEDED, *planned)


def _odd_answers() -> Iterator[Case]:
    """Answers to a create or a poll that have to be read with care."""
    yield _planned("task_id under data", SUCCEEDED, task_id_as(TaskIdForm.IN_DATA))
    yield _planned("task_id as an integer", SUCCEEDED, task_id_as(TaskIdForm.INTEGER))
    yield _planned("streaming clips, then done", SUCCEEDED, story=succeeds(clips=2).after(streaming(), streaming(1)))
    late_links = (without_link(), without_link(""), without_link())
    yield _planned("success, links come later", SUCCEEDED, story=succeeds().after(*late_links))
    pages = (gateway_on_poll(404), gateway_on_poll(404), gateway_on_poll(403), gateway_on_poll(502))
    yield _planned("gateway pages on polls, then done", SUCCEEDED, story=succeeds().after(*pages))
    yield _planned("task unknown for 3 s, then done", SUCCEEDED, story=succeeds().unknown_for(3))
    yield _planned("HTTP 504, with a refund", FAILED, story=times_out())


def _odd_webhooks() -> Iterator[Case]:
    """The answer to the create is lost, and the webhook has a body that a strict reader rejects."""
    oddities = {
        "webhook with NaN, half surrogate": (Oddity.NAN, Oddity.HALF_A_SURROGATE),
        "webhook with BOM, nested deeply": (Oddity.DEEP_NESTING, Oddity.KEY_TWICE, Oddity.BYTE_ORDER_MARK),
        "webhook with an integer task_id": (Oddity.INTEGER_TASK_ID,),
    }
    for title, chosen in oddities.items():
        yield _planned(title, RESOLVED, cut("body", creates=True), webhook=odd(*chosen, plan=held()))


def _resolved_by_webhook() -> Iterator[Case]:
    """The answer to the create is lost, and the music API's webhook names the song."""
    behaviours = {
        "no answer, but a webhook": hang(creates=True),
        "502, but a webhook": fails(UPSTREAM_FAILED, creates=True),
        "cut answer, but a webhook": cut("body", creates=True),
        "no task_id, but a webhook": no_task_id(creates=True),
    }
    for title, behaviour in behaviours.items():
        yield _planned(title, RESOLVED, behaviour, webhook=held())


def _unknown() -> Iterator[Case]:
    """The answer to the create is lost, and no webhook comes."""
    behaviours = {
        "no answer, and no song": hang(creates=False),
        "502, and the webhook lost": fails(UPSTREAM_FAILED, creates=True),
    }
    for title, behaviour in behaviours.items():
        ending = Ending("IN_DOUBT", "OUTCOME_UNKNOWN", int(behaviour.creates))
        yield _planned(title, ending, behaviour, webhook=lost())


def _tracked() -> Iterator[Case]:
    """Submitted without trouble. The task fails, or its webhook is doubled, late, early or lost."""
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
    for times in (12, 5, 2):
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
