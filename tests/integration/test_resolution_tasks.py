"""The task that an operator names is polled and searched for before it is recorded, and a wrong one can be replaced."""

import pytest

from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.domain.task import Failed
from song_intake.ledger import resolving
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.table import LedgerUnavailable
from song_intake.work.resolution import DecisionRefused, Resolution
from tests.integration.bench import Bench
from tests.integration.conftest import TimePasses
from tests.integration.ledger_case import brought_to
from tests.integration.resolving import NOT_CREATED_AFTER, TASK, checked, not_created, resolution_of, task_given

S = Status
OTHER = "task-10"


@pytest.fixture
def resolution(bench: Bench) -> Resolution:
    return resolution_of(bench)


def test_a_task_that_the_music_api_does_not_know_is_refused(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    before = case.item
    with pytest.raises(DecisionRefused, match=r"^the music API does not know this task_id$"):
        resolution.handle(task_given(case, "task-with-a-typo"))
    assert case.item == before
    assert checked(bench) == []


def test_a_task_is_refused_while_no_poll_reports_it(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    before = case.item
    bench.vendor.refuse_connections()
    with pytest.raises(DecisionRefused, match=r"did not report whether .* \([A-Z_]+\); retry later$"):
        resolution.handle(task_given(case))
    bench.vendor.accept_connections()
    assert case.item == before


def test_a_task_is_refused_while_the_token_cannot_be_read(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString='{"api_token": ""}')
    with pytest.raises(DecisionRefused, match=r"\(TOKEN_UNAVAILABLE\); retry later$"):
        resolution.handle(task_given(case))


def test_a_token_that_was_replaced_is_read_again(bench: Bench, resolution: Resolution) -> None:
    resolution.handle(task_given(brought_to(bench, S.IN_DOUBT)))
    before = set(bench.vendor.tokens)
    bench.vendor.tokens.clear()
    bench.vendor.tokens.add("another-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="another-token")
    case = brought_to(bench, S.IN_DOUBT)
    bench.vendor.add_task(OTHER)
    resolution.handle(task_given(case, OTHER))
    bench.vendor.tokens.clear()
    bench.vendor.tokens.update(before)
    assert case.row["task_id"] == OTHER


@pytest.mark.parametrize("segments", [1, 8])
def test_the_task_of_another_request_is_refused(
    bench: Bench, resolution: Resolution, monkeypatch: pytest.MonkeyPatch, segments: int
) -> None:
    monkeypatch.setattr(resolving, "SEGMENTS", segments)
    owner, case = brought_to(bench, S.IN_DOUBT), brought_to(bench, S.IN_DOUBT)
    owner.ledger.record_task(owner.request, TASK)
    before = case.item
    with pytest.raises(DecisionRefused, match=f"^this task_id belongs to the request '{owner.request.request_id}'$"):
        resolution.handle(task_given(case))
    assert case.item == before


def test_a_second_task_of_another_request_is_refused_too(bench: Bench, resolution: Resolution) -> None:
    owner, case = brought_to(bench, S.SUBMITTED), brought_to(bench, S.IN_DOUBT)
    owner.ledger.table.add_other_task(owner.request.request_id, TASK)
    with pytest.raises(DecisionRefused, match="belongs to the request"):
        resolution.handle(task_given(case))


def test_a_task_is_searched_for_on_every_page_of_the_table(
    bench: Bench, resolution: Resolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [brought_to(bench, S.IN_DOUBT) for _ in range(3)]
    owners[1].ledger.record_task(owners[1].request, TASK)
    dynamodb = resolution.store._table.dynamodb
    scan = dynamodb.scan
    monkeypatch.setattr(dynamodb, "scan", lambda **call: scan(**call, Limit=1), raising=False)
    assert resolution.store.requests_of_task(TASK) == [owners[1].request.request_id]


def test_a_table_that_cannot_be_searched_records_nothing(bench: Bench) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution = resolution_of(bench)
    bench.delete_table()
    with pytest.raises(LedgerUnavailable):
        resolution.task_check.objection(case.request.request_id, TASK)
    bench.create_table()


def test_a_replaced_task_leaves_nothing_of_the_first_one(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    bench.vendor.add_task(OTHER)
    resolution.handle(task_given(case, OTHER))
    store, request_id = TrackingStore(bench.ledger_table()), case.request.request_id
    store.record_tracking_stopped(request_id, OTHER, Reason.NEVER_FINISHED, "it never ended")
    bench.dynamodb.update_item(
        TableName=bench.table,
        Key={"request_id": {"S": request_id}},
        UpdateExpression="REMOVE submission_unpublished",  # as after Song Submitted of the first task
    )
    resolution.handle(task_given(case))
    assert case.row.keys() & {"reason", "detail"} == set()
    assert case.row["submission_unpublished"] is True, "Song Submitted will name the second task"


def test_the_task_that_an_operator_named_may_be_replaced_until_its_song_ends(
    bench: Bench, resolution: Resolution
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    bench.vendor.add_task(OTHER)
    resolution.handle(task_given(case, OTHER))
    resolution.handle({**task_given(case), "by": "the second operator"})
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)
    assert case.row["named_by"] == "the second operator", "Song Submitted will say so"
    assert checked(bench) == [OTHER, TASK]

    store = TrackingStore(bench.ledger_table())
    store.record_end(case.request.request_id, TASK, Failed(None, None), Reason.FAILED_BY_VENDOR)
    with pytest.raises(DecisionRefused, match=r"^the request is FAILED: only one in doubt can be resolved$"):
        resolution.handle(task_given(case, OTHER))


def test_a_replacement_is_polled_too(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle(task_given(case))
    with pytest.raises(DecisionRefused, match="does not know this task_id"):
        resolution.handle(task_given(case, "task-with-a-typo"))
    assert case.row["task_id"] == TASK


def test_the_end_of_a_task_that_was_replaced_changes_nothing(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    bench.vendor.add_task(OTHER)
    resolution.handle(task_given(case, OTHER))
    resolution.handle(task_given(case))
    store = TrackingStore(bench.ledger_table())
    store.record_end(case.request.request_id, OTHER, Failed(None, None), Reason.FAILED_BY_VENDOR)
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)


def test_a_task_that_an_operator_named_is_not_withdrawn_by_not_created(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle(task_given(case))
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(DecisionRefused, match=r"^the request is SUBMITTED: only one in doubt can be resolved$"):
        resolution.handle(not_created(case))
