"""What a webhook's hint does to a row in every status, on a real table, and which check tracks the song then."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from song_intake.aws.signing_key import KeyUnavailable, SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Done
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import MOST_OTHER_TASKS, Existing
from song_intake.outgoing.checks import SongCheck
from song_intake.work.webhook_hints import SongToPoll, WebhookHints
from tests.integration.bench import Bench, record_of
from tests.integration.following import body_of
from tests.integration.ledger_case import Case, brought_to
from tests.signing import PROOFS, SECOND_KEY, SIGNING_KEY, proofs_of, signed

S = Status
TASK = "task-1"
WITH_A_TASK = (S.SUBMITTED, S.SUCCEEDED, S.FAILED)
IN_THE_OPEN = (S.IN_DOUBT, S.SUBMITTING)
OF_A_LETTER = {"reason": "TASK_UNKNOWN", "first_message_id": "m-1"}


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture(scope="module")
def hints(bench: Bench) -> WebhookHints:
    return WebhookHints(TrackingStore(bench.ledger_table()), PROOFS)


def hinted(
    case: Case, hint_id: str = "hint-1", *, task_id: str = TASK, is_late: bool = False, proofs: Proofs = PROOFS
) -> SongCheck:
    request_id = case.request.request_id
    hint = proofs.hint(hint_id, request_id, task_id, is_late=is_late)
    return SongCheck(request_id, task_id, time.time(), hint=hint)


def applied(hints: WebhookHints, check: SongCheck, *, is_redriven: bool = False) -> SongToPoll | Existing | Done:
    body = body_of(check)
    attributes = signed(body, OF_A_LETTER) if is_redriven else None
    message = Message.of(record_of(body, attributes=attributes, sent_at=time.time()))
    return hints.apply(check, PROOFS.read(message))


def is_tracked(hints: WebhookHints, check: SongCheck) -> bool:
    """Whether the song is polled until it ends, rather than once."""
    song = applied(hints, check)
    assert isinstance(song, SongToPoll)
    assert song.check == replace(check, hint=None)
    return song.is_tracked


@pytest.mark.parametrize("start", [status for status in Status if status not in WITH_A_TASK])
def test_a_hint_records_its_task_and_its_check_tracks_the_song_however_often_it_comes(
    bench: Bench, hints: WebhookHints, start: Status
) -> None:
    case = brought_to(bench, start)
    assert is_tracked(hints, hinted(case))
    recorded = case.item
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)
    assert [is_tracked(hints, hinted(case)) for _ in range(2)] == [True, True]
    assert case.item == recorded


def test_further_webhooks_of_a_song_that_is_tracked_have_it_polled_once(bench: Bench, hints: WebhookHints) -> None:
    by_a_hint, by_submit_song = brought_to(bench, S.IN_DOUBT), brought_to(bench, S.SUBMITTED)
    assert is_tracked(hints, hinted(by_a_hint))
    for case in (by_a_hint, by_submit_song):
        before = case.item
        assert [is_tracked(hints, hinted(case, f"hint-{number}")) for number in (2, 3, 2)] == [False] * 3
        assert case.item == before


def test_a_song_that_was_given_up_is_tracked_again_by_one_check(bench: Bench, hints: WebhookHints) -> None:
    case = brought_to(bench, S.SUBMITTED)
    for first, second in (("hint-1", "hint-2"), ("hint-3", "hint-4")):
        hints.store.record_tracking_stopped(case.request.request_id, TASK, Reason.TASK_UNKNOWN, "for long")
        assert [is_tracked(hints, hinted(case, hint_id)) for hint_id in (first, second, first)] == [True, False, True]
        assert not {"reason", "detail"} & case.row.keys()


def test_a_check_that_gave_the_song_up_and_comes_again_gives_it_up_again(bench: Bench, hints: WebhookHints) -> None:
    """It crashed before its dead letter."""
    for is_late in (False, True):
        case = brought_to(bench, S.IN_DOUBT)
        assert is_tracked(hints, hinted(case, is_late=is_late))
        hints.store.record_tracking_stopped(case.request.request_id, TASK, Reason.TASK_UNKNOWN, "for long")
        assert is_tracked(hints, hinted(case, is_late=is_late))


def test_a_song_whose_task_an_operator_named_is_tracked_by_one_check_of_a_webhook(
    bench: Bench, hints: WebhookHints
) -> None:
    """The operator's own check may not have been sent."""
    case = brought_to(bench, S.IN_DOUBT)
    ResolutionStore(bench.ledger_table()).record_task(case.stored_row(), TASK, "ops")
    are_tracked = [is_tracked(hints, hinted(case, hint_id)) for hint_id in ("hint-1", "hint-2", "hint-1")]
    assert are_tracked == [True, False, True]


def test_a_failed_song_is_tracked_and_one_that_succeeded_is_not_polled(bench: Bench, hints: WebhookHints) -> None:
    failed, succeeded = brought_to(bench, S.FAILED), brought_to(bench, S.SUCCEEDED)
    before = failed.item, succeeded.item
    assert is_tracked(hints, hinted(failed))
    assert applied(hints, hinted(succeeded)) == Existing(succeeded.stored_row())
    assert (failed.item, succeeded.item) == before


def test_a_hint_of_no_row_creates_none(bench: Bench, hints: WebhookHints) -> None:
    case = brought_to(bench, None)
    assert applied(hints, hinted(case)) == Existing(None)
    assert isinstance(applied(hints, hinted(case, is_late=True)), Done)
    assert case.item == {}


def test_another_task_is_kept_beside_that_of_the_row_which_is_polled(bench: Bench, hints: WebhookHints) -> None:
    case = brought_to(bench, S.SUBMITTED)
    tasks = [f"other-{number}" for number in range(MOST_OTHER_TASKS + 2)]
    for task_id in tasks:
        song = applied(hints, hinted(case, f"hint of {task_id}", task_id=task_id))
        assert isinstance(song, SongToPoll)
        assert (song.check.task_id, song.is_tracked) == (TASK, False)
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)
    assert sorted(case.row["other_task_ids"]) == sorted(tasks[:MOST_OTHER_TASKS])


@pytest.mark.parametrize("start", Status)
def test_a_late_hint_counts_only_where_the_outcome_is_unknown(bench: Bench, hints: WebhookHints, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.item
    late = hinted(case, task_id="task-late", is_late=True)
    if start in IN_THE_OPEN:
        assert [is_tracked(hints, late) for _ in range(2)] == [True, True]
        assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-late")
        another = applied(hints, hinted(case, "hint-2", task_id="task-late", is_late=True))
        assert another == Done("task-late", duplicate=True)
    else:
        assert isinstance(applied(hints, late), Done)
        assert case.item == before


def test_a_late_hint_does_not_have_a_song_tracked_again_unless_an_operator_redrives_it(
    bench: Bench, hints: WebhookHints
) -> None:
    case = brought_to(bench, S.SUBMITTED)
    hints.store.record_tracking_stopped(case.request.request_id, TASK, Reason.TASK_UNKNOWN, "for long")
    late = hinted(case, is_late=True)
    assert isinstance(applied(hints, late), Done)
    redriven = applied(hints, late, is_redriven=True)
    assert redriven == SongToPoll(replace(late, hint=None), is_tracked=True, webhook_at=late.since)


def test_a_redriven_check_tracks_its_song_whatever_the_row_says(bench: Bench, hints: WebhookHints) -> None:
    """The check that the row knows of may be a dead letter too."""
    check = hinted(brought_to(bench, S.SUBMITTED))
    song = SongToPoll(replace(check, hint=None), is_tracked=True, webhook_at=check.since)
    assert applied(hints, check, is_redriven=True) == song


def with_changed_hint(check: SongCheck, **changes: object) -> SongCheck:
    assert check.hint is not None
    return replace(check, hint=replace(check.hint, **changes))  # type: ignore[arg-type]


FORGERIES: dict[str, Callable[[Case], SongCheck]] = {
    "no hint": lambda case: replace(hinted(case), hint=None),
    "no proof": lambda case: with_changed_hint(hinted(case), proof=""),
    "of another key": lambda case: hinted(case, proofs=proofs_of(SECOND_KEY)),
    "of another task": lambda case: replace(hinted(case), task_id="theirs"),
    "of another request": lambda case: replace(hinted(case), hint=hinted(brought_to(case.bench, None)).hint),
    "late made fresh": lambda case: with_changed_hint(hinted(case, is_late=True), is_late=False),
}


@pytest.mark.parametrize("start", [S.IN_DOUBT, S.RETRYING, S.SUBMITTED])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_check_without_a_valid_hint_is_a_check_like_any_other(
    bench: Bench, hints: WebhookHints, forgery: str, start: Status
) -> None:
    case = brought_to(bench, start)
    before = case.item
    check = FORGERIES[forgery](case)
    assert applied(hints, check) == SongToPoll(replace(check, hint=None), is_tracked=True)
    assert case.item == before


def test_a_hint_by_the_key_before_the_rotation_is_believed(bench: Bench, hints: WebhookHints) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    rotated = WebhookHints(hints.store, proofs_of(SECOND_KEY, SIGNING_KEY))
    assert is_tracked(rotated, hinted(case))
    assert case.row["status"] == "SUBMITTED"


def test_a_hint_waits_while_the_key_cannot_be_read(bench: Bench, hints: WebhookHints) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    without_key = WebhookHints(hints.store, Proofs(SigningKeys(bench.secrets, "no-such-secret")))
    with pytest.raises(KeyUnavailable):
        applied(without_key, hinted(case))
    assert case.row["status"] == "IN_DOUBT"
    assert isinstance(applied(without_key, replace(hinted(case), hint=None)), SongToPoll), "no hint needs no key"
