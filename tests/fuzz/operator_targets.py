"""Targets that handle an operator's event: any JSON object gets an answer, and breaks nothing."""

import json
import time
from datetime import UTC, datetime
from typing import Any, cast

from song_intake.admission.budget_item import BudgetItem, BudgetLimits
from song_intake.admission.switch import IntakeMapping, IntakeSwitch
from song_intake.admission.switch_state import IntakeStateStore
from song_intake.app.resolve import ResolveSettings, resolve_song
from song_intake.contract.redrive_order import RedriveRefused
from song_intake.ledger.resolving import ResolutionStore
from song_intake.music_api.answer import Answer
from song_intake.music_api.credits import Balance
from song_intake.work.resolution import DecisionRefused, Resolution
from tests.fuzz.drawing import text_of
from tests.fuzz.letter_targets import redrive_of, sent_letters
from tests.fuzz.services import AcceptingTable, Recorded, RecordingQueue, clients, telemetry_of
from tests.fuzz.song_targets import AnsweringApi
from tests.properties.simulation.queues import CHECKS_URL
from tests.properties.simulation.vendor import SECRET_ID
from tests.properties.simulation.webhooks import KEY_ID

_RUNNING = Answer(200, b'{"status": "RUNNING", "data": []}')
_UNKNOWN_TASK = Answer(404, b'{"type": "not_found"}')
_PAGE = Answer(502, b"<html>")


def event_in(data: bytes) -> dict[str, object] | None:
    """The JSON object of an input, as Lambda reads an event; None for any other input."""
    try:
        event = json.loads(text_of(data))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _assert_answer(answer: dict[str, object]) -> None:
    """Lambda returns the answer as JSON in UTF-8."""
    json.dumps(answer, ensure_ascii=False).encode()


def resolve(data: bytes) -> None:
    """resolve_song applies a decision, lists requests, or refuses."""
    event = event_in(data)
    if event is None:
        return
    recorded = Recorded()
    answer = AnsweringApi({"task-unknown": _UNKNOWN_TASK, "task-away": _PAGE}.get(str(event.get("task_id")), _RUNNING))
    try:
        response = _resolution(recorded, answer).handle(event)
    except DecisionRefused as refusal:
        _check_refusal(refusal, recorded)
        return
    _assert_answer(response)
    assert "token-1" not in json.dumps(response), "a task token lets its reader complete the task"
    assert response.keys() in (
        {"before", "after"},
        {"before", "after", "is_cancelled"},
        {"in_doubt"},
        {"in_doubt", "next"},
    )


def _check_refusal(refusal: Exception, recorded: Recorded) -> None:
    """It has a text of one line for the operator, and nothing was done."""
    assert str(refusal).isprintable()
    assert str(refusal)
    assert recorded.events == []
    assert recorded.messages == []


class _Store(ResolutionStore):
    """The store, without the threads that search the whole table."""

    def requests_of_task(self, task_id: str) -> list[str]:
        return ["order-9"] if task_id == "task-taken" else []


def _resolution(recorded: Recorded, api: AnsweringApi) -> Resolution:
    settings = ResolveSettings(
        music_api_origin="https://music.invalid",
        api_token_secret_arn=SECRET_ID,
        ledger_table="ledger",
        keep_days=90,
        song_checks_queue_url=CHECKS_URL,
        event_bus_name="bus",
        connect_timeout=1,
        poll_deadline=1,
        first_check=15,
        lease=75,
        function_timeout=60,
        ca_bundle=None,
    )
    aws = clients(recorded, RecordingQueue(recorded), AcceptingTable(_rows()))
    resolution = resolve_song(settings, aws, telemetry_of(recorded), api)
    resolution.store.__class__ = resolution.task_check.store.__class__ = _Store
    return resolution


def _rows() -> list[dict[str, Any]]:
    now = time.time()
    return [
        _row("doubt-1", "IN_DOUBT", doubt={"S": "IN_DOUBT"}, reason={"S": "OUTCOME_UNKNOWN"}),
        _row("doubt-2", "IN_DOUBT", doubt={"S": "IN_DOUBT"}, task_tokens={"SS": ["token-1"]}),
        _row("claimed", "SUBMITTING", lease_until={"N": f"{now + 60:.3f}"}),
        _row("crashed", "SUBMITTING", lease_until={"N": f"{now - 600:.3f}"}),
        _row("named", "SUBMITTED", task_id={"S": "task-1"}, named_by={"S": "ada"}),
        _row("submitted", "SUBMITTED", task_id={"S": "task-2"}),
        _row("rejected", "REJECTED", reason={"S": "NOT_CREATED"}, resolved_by={"S": "ada"}),
        _row("failed", "FAILED", task_id={"S": "task-3"}, reason={"S": "FAILED_BY_VENDOR"}),
        {"request_id": {"S": "#intake"}, "position": {"S": "on"}},
    ]


def _row(request_id: str, status: str, **more: dict[str, object]) -> dict[str, Any]:
    changed_at = datetime.fromtimestamp(1_700_000_000, UTC).isoformat()
    texts = {
        "request_id": request_id,
        "status": status,
        "fingerprint": "f",
        "message_id": "m",
        "updated_at": changed_at,
    }
    return {name: {"S": text} for name, text in texts.items()} | more


def redrive(data: bytes) -> None:
    """redrive_letters executes an order or refuses it; a letter that it does not move stays."""
    event = event_in(data)
    if event is None:
        return
    recorded = Recorded()
    letters = sent_letters()
    queue = RecordingQueue(recorded, letters)
    try:
        response = redrive_of(queue).handle(event, lambda: 60.0)
    except RedriveRefused as refusal:
        _check_refusal(refusal, recorded)
        return
    _assert_answer(response)
    assert response["is_complete"] in (True, False)
    assert len(queue.deleted) == len(recorded.messages) <= len(letters)
    assert not event.get("dry_run") or not queue.deleted


def switch(data: bytes) -> None:
    """switch_intake switches the intake, reports it, or refuses. An event that it does not know changes nothing."""
    event = event_in(data)
    if event is None:
        return
    table, mapping, recorded = AcceptingTable([]), _Mapping(), Recorded()
    response = _switch(table, mapping, recorded).handle(event)
    _assert_answer(response)
    if "refused" in response:
        assert mapping.changes == 0
        assert table.get_item(Key={"request_id": {"S": "#intake"}}) == {}
    else:
        assert response == {} or response.keys() == {"mapping", "switched", "account"}
        # The next check reads what was saved.
        _switch(table, mapping, recorded).handle({"intake": "check"})
        _switch(table, mapping, recorded).handle({"intake": "status"})


class _Mapping:
    """Lambda's client, with one mapping that follows at once."""

    def __init__(self) -> None:
        self.changes = 0
        self._state = "Enabled"

    def get_event_source_mapping(self, **_: object) -> dict[str, str]:
        return {"State": self._state}

    def update_event_source_mapping(self, *, Enabled: bool, **_: object) -> None:  # noqa: N803 - boto3's name
        self.changes += 1
        self._state = "Enabled" if Enabled else "Disabled"


class _RichApi(AnsweringApi):
    def credits(self, token: str) -> Balance:
        return Balance(1_000, 0)


def _switch(table: AcceptingTable, mapping: _Mapping, recorded: Recorded) -> IntakeSwitch:
    return IntakeSwitch(
        music_api=_RichApi(_RUNNING),
        secrets=clients(recorded, RecordingQueue(recorded)).client("secretsmanager"),
        token_secret_id=SECRET_ID,
        signing_key_secret_id=KEY_ID,
        store=IntakeStateStore(cast("Any", table), "ledger"),
        mapping=IntakeMapping(cast("Any", mapping), "the-mapping"),
        telemetry=telemetry_of(recorded),
        budget=BudgetItem(cast("Any", table), "ledger", BudgetLimits(stack=0, sender=0)),
    )
