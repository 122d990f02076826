"""What a batch amounts to: by this, and not by its word, a design counts as having done it."""

from collections import Counter
from collections.abc import Sequence

from tests.performance.designs import Design
from tests.performance.stub_record import Record, task_of


class WorkNotDone(Exception):
    """A design asked for something else than the batch asks for; the text says what was missing or too much."""


def check(design: Design, titles: Sequence[str], record: Record) -> None:
    """Every song claimed, created and recorded; by ours, followed and told too. Raises WorkNotDone.

    No song is created twice. The rest may be asked for again: the SDK does where a loaded machine is late to read.
    """
    songs, tasks = Counter(titles), Counter(map(task_of, titles))
    # Idempotency's rows bear a hash of the song's id.
    claims = Counter(PutItem=len(titles)) if design is Design.IDEMPOTENCY else songs
    once = tasks if design is Design.OURS else Counter[str]()
    wanted = {"claimed": claims, "created": songs, "recorded": tasks, "followed": once, "told": once}
    for what, count in wanted.items():
        found: Counter[str] = getattr(record, what)
        if found.keys() != count.keys() or not found >= count or (what == "created" and found != count):
            missing, others = (count - found).total(), (found - count).total()
            raise WorkNotDone(f"{design}: of {len(titles)} songs {what}: {missing} missing, {others} too many")
