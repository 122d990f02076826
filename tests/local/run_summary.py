"""The end of a run in words: what was sent, what became of it, and what the music API charged for."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.local.run_progress import Tracked
from tests.local.vendor_record import Create


def is_as_it_should_be(tracked: Sequence[Tracked], creates: Sequence[Create]) -> bool:
    """Every request ended as expected, and no song was made twice or for nobody."""
    songs = _songs(tracked)
    asked_for = all(create.title in songs for create in creates)
    return asked_for and not _made_twice(creates) and all(one.is_as_expected for one in tracked)


def summary(samples: Sequence[Tracked], generated: Sequence[Tracked], creates: Sequence[Create]) -> Iterator[str]:
    """The lines of the summary. The creates are the music API's own list, whatever our rows say."""
    tracked = [*samples, *generated]
    yield f"The {len(samples)} samples of events/"
    yield from (_line(one) for one in samples)
    yield ""
    yield f"{len(generated)} generated requests"
    yield from _by_outcome(generated)
    yield from (_line(one) for one in generated if not one.is_as_expected)
    yield ""
    yield from _count(tracked, creates)
    yield ""
    yield "Everything ended as expected." if is_as_it_should_be(tracked, creates) else "NOT everything is as expected."


def _line(tracked: Tracked) -> str:
    state = tracked.state
    return f"  {tracked.case.name:<33}  {state.status:<11}  {state.outcome:<36}  {_judgement(tracked)}"


def _judgement(tracked: Tracked) -> str:
    if tracked.is_as_expected:
        return "as expected"
    expected = tracked.case.ending
    ending = f"{expected.status} {expected.reason}" if expected.reason else expected.status
    return f"EXPECTED {ending} with {expected.creates} creates, not {tracked.state.creates}"


def _by_outcome(tracked: Sequence[Tracked]) -> Iterator[str]:
    groups: defaultdict[tuple[str, str], list[Tracked]] = defaultdict(list)
    for one in tracked:
        groups[one.state.status, one.state.outcome if one.case.ending.reason else "with a task_id"].append(one)
    for (status, outcome), group in sorted(groups.items(), key=lambda item: len(item[1]), reverse=True):
        as_expected = sum(one.is_as_expected for one in group)
        yield f"  {len(group):>3}  {status:<11}  {outcome:<17}  {as_expected} as expected{_waits(group)}"


def _waits(group: Sequence[Tracked]) -> str:
    waited = [one for one in group if one.waited_for]
    reasons = sorted({reason for one in waited for reason in one.waited_for})
    return f"; {len(waited)} after RETRYING ({', '.join(reasons)})" if waited else ""


def _count(tracked: Sequence[Tracked], creates: Sequence[Create]) -> Iterator[str]:
    submitted = len({one.state.outcome for one in tracked if one.state.status == "SUBMITTED"})
    in_doubt = sum(one.state.creates for one in tracked if one.state.status == "IN_DOUBT")
    counts = {
        "requests sent": sum(len(one.message_ids) for one in tracked),
        "distinct songs asked for": len(_songs(tracked)),
        "creates counted by the vendor": f"{len(creates)} ({submitted} SUBMITTED, {in_doubt} IN_DOUBT)",
        "songs paid for twice": len(_made_twice(creates)),
    }
    yield from (f"{name:<29}  {count}" for name, count in counts.items())


def _songs(tracked: Sequence[Tracked]) -> set[str]:
    return {one.case.song for one in tracked if one.case.song is not None}


def _made_twice(creates: Sequence[Create]) -> list[str | None]:
    made = Counter(create.title for create in creates)
    return [title for title, times in made.items() if times > 1]
