"""Whose attributes submit_song believes: those with a proof, and only those."""

import time
from dataclasses import replace

import pytest

from song_intake.aws.signing_key import KEYS_KEPT_SECONDS, SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.contract.sqs_message import Message
from song_intake.work.backoff import LONGEST_WAIT_SECONDS
from song_intake.work.batch import Batch
from tests.integration.bench import FINAL_RECEIVE, MAX_RECEIVE_COUNT, Bench, new_id, plenty_of_time, record_of, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE, abandon
from tests.integration.handling import failed
from tests.signing import SECOND_KEY, proofs_of, signed

STRANGERS = [
    {"reason": "TASK_NOT_RECORDED", "first_message_id": "mail-7", "request_id": "theirs", "task_id": "theirs"},
    {"reason": "UNFORESEEN", "first_message_id": "#intake"},
    {"reason": "UNFORESEEN", "first_message_id": "mail-7", "sent_anew_for": "mail-7", "proof": "0" * 64},
    {"task_id": "theirs"},
]


def without_a_key(bench: Bench, secret: str = "no-such-secret") -> Batch:  # noqa: S107 - a name, no secret
    work = bench.request_work()
    proofs = Proofs(SigningKeys(bench.clients().client("secretsmanager"), secret))
    return bench.batch_of(replace(work, proofs=proofs))


@pytest.mark.parametrize("attributes", STRANGERS, ids=str)
def test_a_strangers_attributes_change_nothing(bench: Bench, batch: Batch, attributes: dict[str, str]) -> None:
    message_id = new_id("message")
    batch.handle([record_of(song(TITLE), message_id=message_id, attributes=attributes)], plenty_of_time)
    (create,) = bench.vendor.creates
    row = bench.row(message_id)
    assert (row["status"], row["task_id"], row["message_id"]) == ("SUBMITTED", create.task_id, message_id)
    assert "other_task_ids" not in row


def test_a_strangers_task_is_not_recorded_on_anothers_row(bench: Bench, batch: Batch, request_id: str) -> None:
    abandon(bench, request_id)
    attributes = {"reason": "TASK_NOT_RECORDED", "first_message_id": "message-1", "task_id": "theirs"}
    batch.handle([record_of(song(TITLE, request_id), attributes=attributes)], plenty_of_time)
    row = bench.row(request_id)
    assert (row["status"], row.get("task_id"), row.get("other_task_ids")) == ("SUBMITTING", None, None)


@pytest.mark.parametrize("receives", [1, FINAL_RECEIVE, MAX_RECEIVE_COUNT])
@pytest.mark.parametrize("is_binary", [False, True])
def test_without_the_key_a_letter_only_waits(bench: Bench, receives: int, is_binary: bool) -> None:  # noqa: FBT001
    """A letter or a copy of it without its first id would be another request."""
    secret = "no-such-secret"
    if is_binary:
        secret = bench.secrets.create_secret(Name=f"{bench.table}-binary", SecretBinary=b"k" * 64)["ARN"]
    body = song(TITLE)
    attributes = signed(body, {"reason": "OUTCOME_UNKNOWN", "first_message_id": "m-1"})
    record = record_of(body, receives=receives, attributes=attributes)
    assert failed(without_a_key(bench, secret).handle([record], plenty_of_time)) == {record["messageId"]}
    assert bench.lines()[-1]["reason"] == "SIGNING_KEY_UNAVAILABLE"
    is_late = receives >= FINAL_RECEIVE
    assert (bench.lines()[-1]["retry_in_seconds"] == LONGEST_WAIT_SECONDS) == is_late, "it cannot be sent anew"
    assert (bench.letters(), bench.receive(), len(bench.vendor.creates)) == ([], [], 0)


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_a_short_key_is_refused(bench: Bench, key: str) -> None:
    secret = bench.secrets.create_secret(Name=f"{bench.table}-short", SecretString=key or " ")["ARN"]
    record = record_of(song(TITLE))
    without_a_key(bench, secret).handle([record], plenty_of_time)
    assert bench.lines()[-1]["reason"] == "SIGNING_KEY_UNAVAILABLE"
    assert len(bench.vendor.creates) == 0


def test_a_letter_by_a_key_of_this_moment_is_believed(bench: Bench) -> None:
    """Another process has read the key that was rotated a moment ago, and this one has not."""
    bench.proofs.require_key()
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=SECOND_KEY)
    body = song(TITLE)
    ours = {"reason": "OUTCOME_UNKNOWN", "first_message_id": "m-1"}
    for proofs in (proofs_of(SECOND_KEY), bench.proofs):
        message = Message.of(record_of(body, attributes=signed(body, ours, proofs), sent_at=time.time()))
        assert bench.proofs.read(message).first_message_id == "m-1"


def test_a_letter_waits_if_the_keys_cannot_be_read_again(bench: Bench, time_passes: TimePasses) -> None:
    """The key in memory does not fit; the one that does cannot be read. The letter is no stranger's."""
    secret = bench.secrets.create_secret(Name=f"{bench.table}-away", SecretString=SECOND_KEY)["ARN"]
    batch = without_a_key(bench, secret)
    batch.handle([record_of(song(TITLE))], plenty_of_time)
    bench.secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    time_passes(KEYS_KEPT_SECONDS + 1)
    body = song("Another Title")
    attributes = signed(body, {"reason": "OUTCOME_UNKNOWN", "first_message_id": "m-1"})
    record = record_of(body, attributes=attributes, sent_at=time.time())
    assert failed(batch.handle([record], plenty_of_time)) == {record["messageId"]}
    assert len(bench.vendor.creates) == 1


def test_many_forged_proofs_cost_one_read_of_the_keys(bench: Bench) -> None:
    client = bench.clients().client("secretsmanager")
    reads: list[str] = []
    client.meta.events.register(
        "before-call.secrets-manager.GetSecretValue", lambda params, **_: reads.append(str(params["body"]))
    )
    proofs = Proofs(SigningKeys(client, bench.signing_key_id))
    proofs.require_key()
    before = len(reads)
    forged = {"reason": "UNFORESEEN", "first_message_id": "mail-7", "proof": "0" * 64}
    sent_at = time.time() - 60
    for number in range(100):
        message = Message.of(record_of(song(f"{TITLE} {number}"), attributes=forged, sent_at=sent_at))
        assert proofs.read(message).origin is None
    assert len(reads) == before > 0, "the keys in memory were read after the messages were sent"
