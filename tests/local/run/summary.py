"""The end of a run in words: what was sent, what became of it, who was told, and what the music API charged for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.local.run.progress import Tracked
from tests.local.vendor.record import Create


@dataclass(frozen=True, slots=True)
class Evidence:
    """What others than our rows say: the music API's own list of songs, and how often each event was heard, by id."""

    creates: Sequence[Create]
    events: Mapping[str, int]


def is_as_it_should_be(tracked: Sequence[Tracked], evidence: Evidence) -> bool:
    """Every request ended as expected and was announced, and no song was made twice or for nobody."""
    songs = _songs(tracked)
    asked_for = all(create.title in songs for create in evidence.creates)
    ended_well = all(one.is_as_expected for one in tracked) and not submission_unpublished(tracked, evidence.events)
    return asked_for and not _made_twice(evidence.creates) and ended_well


def submission_unpublished(tracked: Sequence[Tracked], events: Iterable[str]) -> list[Tracked]:
    """The requests whose end no event tells."""
    occasions = {tuple(event_id.split("/")[1:]) for event_id in events}
    return [one for one in tracked if not occasions & set(_occasions_of_the_end(one))]


def summary(samples: Sequence[Tracked], generated: Sequence[Tracked], evidence: Evidence) -> Iterator[str]:
    """The lines of the summary."""
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
    yield "Everything ended as expected." if is_as_it_should_be(tracked, evidence) else "NOT everything is as expected."


def _line(tracked: Tracked) -> str:
    state = tracked.state
    return f"  {tracked.case.name:<33}  {state.status:<11}  {state.outcome:<36}  {_judgement(tracked)}"


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
        yield from (f"{'':<39}{line}" for line in _detours(group))


def _detours(group: Sequence[Tracked]) -> Iterator[str]:
    """The ways round to that end, as far as they were seen."""
    retried = [one for one in group if one.was("RETRYING")]
    reasons = sorted({state.outcome for one in retried for state in one.before if state.status == "RETRYING"})
    if retried:
        yield f"{len(retried)} after RETRYING ({', '.join(reasons)})"
    settled = [one for one in group if one.was("IN_DOUBT") and one.state.status != "IN_DOUBT"]
    if settled:
        yield f"{len(settled)} after IN_DOUBT"


def _count(tracked: Sequence[Tracked], evidence: Evidence) -> Iterator[str]:
    creates, events = evidence.creates, evidence.events
    counts = {
        "requests sent": sum(len(one.message_ids) for one in tracked),
        "distinct songs asked for": len(_songs(tracked)),
        "songs that the vendor made": f"{len(creates)} ({_ends_of_songs(tracked)})",
        "songs paid for twice": len(_made_twice(creates)),
        "events heard": f"{len(events)} (and {sum(events.values()) - len(events)} repeats)",
        "ends that no event told": len(submission_unpublished(tracked, events)),
    }
    yield from (f"{name:<29}  {count}" for name, count in counts.items())


def _ends_of_songs(tracked: Sequence[Tracked]) -> str:
    # By the song, since two messages may have asked for one.
    ends = {one.case.song: one.state.status for one in tracked if one.state.creates}
    return ", ".join(f"{count} {status}" for status, count in Counter(ends.values()).most_common())


def _occasions_of_the_end(tracked: Tracked) -> Iterator[tuple[str, str]]:
    """The end of an event's id, after the request's: what happened, and to which task, or by which message."""
    state = tracked.state
    if state.task_id:
        yield state.status, state.task_id
        return
    status = "IN_DOUBT" if state.status == "IN_DOUBT" else "REJECTED"
    yield from ((status, message_id) for message_id in tracked.message_ids)


def _songs(tracked: Sequence[Tracked]) -> set[str]:
    return {one.case.song for one in tracked if one.case.song is not None}


def _made_twice(creates: Sequence[Create]) -> list[str | None]:
    made = Counter(create.title for create in creates)
    return [title for title, times in made.items() if times > 1]
