"""The samples of events/lambda: each function accepts the events that invoke it, on real local services."""

import json
import time
from dataclasses import asdict, fields
from typing import Any, cast

import pytest

from song_intake.aws.signing_key import SigningKey, SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.contract.redrive_order import RedriveOrder
from song_intake.contract.sqs_message import Message
from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.recording_orders import RecordingOrder
from song_intake.work.webhook_endpoint import HttpApiEvent, WebhookEndpoint
from tests.integration.bench import Bench, plenty_of_time
from tests.integration.following import check_batch
from tests.integration.resolving import resolution_of
from tests.integration.switching import SimulatedMappings, switch_of
from tests.local.contract import PROJECT, errors_in
from tests.local.vendor.story import succeeds
from tests.local.webhooks.call import Genuine
from tests.local.webhooks.event import lambda_event
from tests.signing import SIGNING_KEY

FOLDER = PROJECT / "events/lambda"
FUNCTIONS = sorted(path.name for path in (PROJECT / "functions").iterdir() if (path / f"{path.name}.py").exists())
REQUEST_ID = "order-1042:song-1"
DONE: Any = {"batchItemFailures": []}


def event(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def body_of(name: str) -> Any:
    (record,) = event(name)["Records"]
    return json.loads(Message.of(record).body)


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    names = {path.stem for path in FOLDER.iterdir()}
    assert set(FUNCTIONS) <= names
    assert names - set(FUNCTIONS) == {"switch_intake_account_fault", "song_consumer"}


def test_the_messages_have_the_members_of_those_that_the_stack_sends() -> None:
    sample = (PROJECT / "events/with_request_id_and_metadata.json").read_text(encoding="utf-8")
    assert body_of("submit_song") == json.loads(sample)
    assert set(body_of("track_song")) == {field.name for field in fields(SongCheck)}
    assert asdict(RecordingOrder.parse(json.dumps(body_of("keep_recording")))) == body_of("keep_recording")
    assert errors_in("song_event", body_of("song_consumer")["detail"]) == []


def test_a_song_is_submitted_and_tracked_to_its_end(bench: Bench) -> None:
    bench.vendor.plan_task(body_of("submit_song")["title"], succeeds())
    assert bench.batch().handle(event("submit_song")["Records"], plenty_of_time) == DONE
    task_id = bench.row(REQUEST_ID)["task_id"]
    check = event("track_song")
    body = body_of("track_song") | {"task_id": task_id, "since": time.time()}
    check["Records"][0]["body"] = json.dumps(body)
    assert check_batch(bench).handle(check["Records"], plenty_of_time) == DONE
    assert bench.row(REQUEST_ID)["status"] == "SUCCEEDED"


def test_the_webhook_is_refused_until_it_is_signed_with_the_key_of_the_stack(bench: Bench) -> None:
    keys = SigningKeys(bench.secrets, bench.signing_key_id)
    endpoint = WebhookEndpoint(keys, Proofs(keys), bench.song_checks(first_check=60), bench.telemetry)
    sample = event("receive_webhook")
    assert endpoint.handle(sample) == {"statusCode": 404}
    key = SigningKey.of(SIGNING_KEY)
    genuine = Genuine(REQUEST_ID, key.path_mac(REQUEST_ID), key.secret(REQUEST_ID), sample["body"].encode())
    signed = lambda_event(genuine.call())
    assert signed is not None
    assert signed.keys() == sample.keys()
    assert cast("dict[str, str]", signed["headers"]).keys() == sample["headers"].keys()
    assert endpoint.handle(cast("HttpApiEvent", signed)) == {"statusCode": 200}


def test_an_order_of_an_operator_is_accepted(bench: Bench) -> None:
    order = RedriveOrder.of(event("redrive_letters"), ("requests", "checks", "recordings"))
    assert (order.queue, order.is_dry_run) == ("requests", True)
    assert resolution_of(bench).handle(event("resolve_song")) == {"in_doubt": []}


@pytest.mark.parametrize(("name", "changes"), [("switch_intake", []), ("switch_intake_account_fault", [False])])
def test_the_switch_reports_the_intake_and_pauses_it_for_a_fault(bench: Bench, name: str, changes: list[bool]) -> None:
    bench.vendor.credits = 0
    mappings = SimulatedMappings()
    assert "refused" not in switch_of(bench, mappings).handle(event(name))
    assert mappings.changes == changes
