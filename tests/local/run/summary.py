"""The summary of a run: the requests sent, their results, the events received, and the songs created."""

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.local.run.cases import DEAD_LETTER
from tests.local.run.progress import Tracked
from tests.local.vendor.record import Create


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence beside the rows: the music API's own list of songs, and the number of events received by event id."""

    creates: Sequence[Create]
    events: Mapping[str, int]
    kept: int = 0
    """How many songs have all their recordings in the bucket."""
    unkept: int = 0
    """How many songs succeeded and do not."""


def is_as_expected(tracked: Sequence[Tracked], evidence: Evidence) -> bool:
    """Every request ended as expected and with an event, and no song was created twice or without a request."""
    songs = _songs(tracked)
    all_requested = all(create.title in songs for create in evidence.creates)
    ended_well = all(one.is_as_expected for one in tracked) and not without_event(tracked, evidence.events)
    return all_requested and not _created_twice(evidence.creates) and ended_well and not evidence.unkept


def without_event(tracked: Sequence[Tracked], events: Iterable[str]) -> list[Tracked]:
    """The requests without an event for their final status."""
    ends_of_ids = {tuple(event_id.split("/")[1:]) for event_id in events}
    return [one for one in tracked if not ends_of_ids & set(_ends_of_event_ids(one))]


def summary(samples: Sequence[Tracked], generated: Sequence[Tracked], evidence: Evidence) -> Iterator[str]:
    tracked = [*samples, *generated]
    yield f"The {len(samples)} samples of events/"
    yield from (_line(one) for one in samples)
    yield ""
    yield f"{len(generated)} generated requests"
    yield from _by_outcome(generated)
    yield from (_line(one) for one in generated if not one.is_as_expected)
    yield ""
    yield from _count(tracked, evidence)
    yield ""
    yield "Everything ended as expected." if is_as_expected(tracked, evidence) else "NOT everything ended as expected."


def _line(tracked: Tracked) -> str:
    state = tracked.state
    return f"  {tracked.case.name:<33}  {state.status:<11}  {state.outcome:<17}  {_judgement(tracked)}"


def _judgement(tracked: Tracked) -> str:
    if tracked.is_as_expected:
        return "as expected"
    expected = tracked.case.ending
    ending = f"{expected.status} {expected.reason}" if expected.reason else expected.status
    ending += f" after {expected.after}" if expected.after else ""
    return f"EXPECTED {ending} with {expected.creates} creates, not {tracked.state.creates}"


def _by_outcome(tracked: Sequence[Tracked]) -> Iterator[str]:
    groups: defaultdict[tuple[str, str], list[Tracked]] = defaultdict(list)
    for one in tracked:
        groups[one.state.status, one.state.outcome if one.case.ending.reason else "with a task_id"].append(one)
    for (status, outcome), group in sorted(groups.items(), key=lambda item: len(item[1]), reverse=True):
        as_expected = sum(one.is_as_expected for one in group)
        yield f"  {len(group):>3}  {status:<11}  {outcome:<17}  {as_expected} as expected"
        yield from (f"{'':<13}{line}" for line in _detours(group))


def _detours(group: Sequence[Tracked]) -> Iterator[str]:
    """The earlier statuses of these requests, as far as they were observed."""
    retried = [one for one in group if one.was("RETRYING")]
    reasons = sorted({state.outcome for one in retried for state in one.before if state.status == "RETRYING"})
    if retried:
        yield from textwrap.wrap(f"{len(retried)} after RETRYING ({', '.join(reasons)})", 60, subsequent_indent="  ")
    resolved = [one for one in group if one.was("IN_DOUBT") and one.state.status != "IN_DOUBT"]
    if resolved:
        yield f"{len(resolved)} after IN_DOUBT"


def _count(tracked: Sequence[Tracked], evidence: Evidence) -> Iterator[str]:
    creates, events = evidence.creates, evidence.events
    counts = {
        "requests sent": sum(len(one.message_ids) for one in tracked),
        "distinct songs requested": len(_songs(tracked)),
        "songs created": f"{len(creates)} ({_statuses_of_songs(tracked)})",
        "songs paid for twice": len(_created_twice(creates)),
        "songs with their recordings": f"{evidence.kept} (and {evidence.unkept} without)",
        "events received": f"{len(events)} (and {sum(events.values()) - len(events)} repeats)",
        "final statuses without an event": len(without_event(tracked, events)),
    }
    yield from (f"{name:<31}  {count}" for name, count in counts.items())


def _statuses_of_songs(tracked: Sequence[Tracked]) -> str:
    # By song, since two messages may request the same one.
    statuses = {one.case.song: one.state.status for one in tracked if one.state.creates}
    return ", ".join(f"{count} {status}" for status, count in Counter(statuses.values()).most_common())


def _ends_of_event_ids(tracked: Tracked) -> Iterator[tuple[str, str]]:
    """The part of an event id that follows the request_id: the status, and the task or the message."""
    state = tracked.state
    if state.task_id:
        yield state.status, state.task_id
        return
    status = {"IN_DOUBT": "IN_DOUBT", DEAD_LETTER: "MESSAGE_REJECTED"}.get(state.status, "REJECTED")
    yield from ((status, message_id) for message_id in tracked.message_ids)


def _songs(tracked: Sequence[Tracked]) -> set[str]:
    return {one.case.song for one in tracked if one.case.song is not None}


def _created_twice(creates: Sequence[Create]) -> list[str | None]:
    created = Counter(create.title for create in creates)
    return [title for title, times in created.items() if times > 1]
