"""The proof of the recordings in test_crash_points.py can fail: each of these broken parts breaks a story."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from song_intake.domain.decision import Decision, Done, SideEffectFailed
from song_intake.domain.recording import Keeping, Recording
from song_intake.ledger.keeping import KeepingStore
from song_intake.ledger.notified import Notified
from song_intake.ledger.row import Row
from song_intake.ledger.table import Existing, Written
from song_intake.outgoing.notifier import Notifier
from song_intake.work.keeping import RecordingKeeper
from tests.properties.simulation import crash_points
from tests.properties.simulation.following_functions import Parts
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.stories import KEPT_STORIES


class OrdersAreDropped(Notifier):
    """Counted as sent although the queue did not accept it."""

    def publish_end(
        self, row: Row, order: Callable[[], None] | None = None
    ) -> tuple[Notified, SideEffectFailed | None]:
        def ordered() -> None:
            assert order is not None
            with contextlib.suppress(SideEffectFailed):
                order()

        return super().publish_end(row, ordered if order else None)


class TasksAreAnsweredBefore(Notifier):
    """With the end of the song, though its recordings are still to be copied."""

    def publish_end(
        self, row: Row, order: Callable[[], None] | None = None
    ) -> tuple[Notified, SideEffectFailed | None]:
        done, failure = super().publish_end(row, order)
        answers, failed = super().publish_end(replace(row, end_published=True, submission_unpublished=False), None)
        return replace(done, answered=answers.answered), failure or failed


class OnlyTheFirstRunPublishes(RecordingKeeper):
    def _ended(self, row: Row, *, is_duplicate: bool) -> Decision:
        if is_duplicate and row.keeping is Keeping.KEPT:
            return Done(row.task_id, duplicate=True)
        return super()._ended(row, is_duplicate=is_duplicate)


class GivenUpForGood(KeepingStore):
    """A redrive is not an order to try again."""

    def resume(self, row: Row) -> Written | Existing:
        return Existing(row)


class RecordingsAreForgotten(KeepingStore):
    def record(self, row: Row, _: Sequence[Recording], keeping: Keeping, detail: str) -> Written | Existing:
        return super().record(row, (), keeping, detail)


_WITHOUT_A_TASK = "failed, then succeeded by its webhook, and kept"


@pytest.mark.parametrize(
    ("parts", "story", "broken"),
    [
        (Parts(notifier=OrdersAreDropped), _WITHOUT_A_TASK, "8. the recordings are PENDING"),
        (Parts(notifier=TasksAreAnsweredBefore), "kept for a workflow", "10. the task was answered before"),
        (Parts(keeper=OnlyTheFirstRunPublishes), _WITHOUT_A_TASK, "9. Song Kept was never"),
        (Parts(keeping_store=GivenUpForGood), "kept after a redrive", "8. the recordings are GIVEN_UP"),
        (Parts(keeping_store=RecordingsAreForgotten), "kept for a workflow", "8. the row does not have"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_broken_part_is_found(parts: Parts, story: str, broken: str) -> None:
    (told,) = (one for one in KEPT_STORIES if one.name == story)
    with pytest.raises(Violation, match=f"^{broken}"):
        crash_points.prove(told, parts)
