"""Checks that a design did the whole work of a batch, by the requests that the stub received."""

from collections import Counter
from collections.abc import Sequence

from tests.performance.designs import Design
from tests.performance.stub_record import Record, task_of


class WorkNotDone(Exception):
    """A design sent other requests than the batch needs. The message has the numbers of missing and extra requests."""


def check(design: Design, titles: Sequence[str], record: Record) -> None:
    """Every song is claimed, created and recorded; by this handler also tracked and published. Raises WorkNotDone.

    No song is created twice. Other requests may repeat, because the SDK retries when a loaded machine reads late.
    """
    songs, tasks = Counter(titles), Counter(map(task_of, titles))
    # The rows of Idempotency have a hash of the request_id.
    claims = Counter(PutItem=len(titles)) if design is Design.IDEMPOTENCY else songs
    once = tasks if design is Design.OURS else Counter[str]()
    wanted = {"claimed": claims, "created": songs, "recorded": tasks, "tracked": once, "published": once}
    for what, count in wanted.items():
        found: Counter[str] = getattr(record, what)
        if found.keys() != count.keys() or not found >= count or (what == "created" and found != count):
            missing, others = (count - found).total(), (found - count).total()
            raise WorkNotDone(f"{design}: of {len(titles)} songs {what}: {missing} missing, {others} too many")
