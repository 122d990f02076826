"""What keep_recording decides about the recordings of one song."""

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from song_intake.contract.sqs_message import Message, Origin
from song_intake.domain.decision import DeadLetter, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.ledger.keeping import KeepingStore
from song_intake.ledger.row import Row
from song_intake.ledger.table import Existing, LedgerTable, Written
from song_intake.ledger.task_tokens import MOST_TASK_TOKENS, TaskTokens
from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.events import EventPublisher
from song_intake.outgoing.notifier import Notifier
from song_intake.outgoing.recording_orders import RecordingOrder, RecordingOrders
from song_intake.outgoing.recording_report import RecordingReport
from song_intake.recordings.copier import Copied, NotYet, Result, Unusable
from song_intake.work.keeping import KEEPING_HOURS, RecordingKeeper
from song_intake.work.own_queue_work import MOST_RECEIVES
from tests.properties.simulation.bus import Bus, SimulatedEvents
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table, unavailable
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.queues import RECORDINGS_URL
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.workflows import SimulatedStepFunctions, Workflows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

HOUR = 3600
LATER = NotYet(Reason.RECORDING_UNAVAILABLE, "a page of HTML")
AWAY = NotYet(Reason.CDN_UNAVAILABLE, "the host is away", 120.0)
NEVER = Unusable(Reason.RECORDING_UNAVAILABLE, "another host")


class NoFaults:
    def before(self, _step: Step) -> Fault | None:
        return None


@dataclass
class Around:
    """keep_recording and all that it reaches, in memory."""

    results: dict[str, Result] = field(default_factory=dict)
    """By link; by default the recording is copied as m4a, or as wav where the link says so."""
    table: Table = field(default_factory=Table)
    bus: Bus = field(default_factory=Bus)
    workflows: Workflows = field(default_factory=Workflows)
    sent: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    """Each link that was copied, and under which name."""
    used: float = 0
    """The seconds that the copies took: those of AWAY all that they had."""
    shares: list[int] = field(default_factory=list)
    """The seconds that each copy was given."""

    def copy(self, link: str, name: str, seconds: float) -> Result:
        self.links.append((link, name))
        self.shares.append(round(seconds))
        self.used += seconds if self.results.get(link) is AWAY else 0
        kind = link.rpartition(".")[2]
        key = f"{name}.{kind}"
        return self.results.get(link, Copied("bucket", key, kind, 2_000, "0" * 64))

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - boto3's names
        assert QueueUrl == RECORDINGS_URL
        self.sent.append(MessageBody)

    @property
    def ledger(self) -> LedgerTable:
        return LedgerTable(cast("DynamoDBClient", SimulatedDynamoDb(NoFaults(), self.table)), "ledger", 90)

    def keeper(self, *, with_wav: bool = False) -> RecordingKeeper:
        step_functions = cast("SFNClient", SimulatedStepFunctions(NoFaults(), self.workflows))
        publisher = EventPublisher(cast("EventBridgeClient", SimulatedEvents(NoFaults(), self.bus)), "bus")
        return RecordingKeeper(
            store=KeepingStore(self.ledger),
            copier=self,
            orders=RecordingOrders(cast("SQSClient", self), RECORDINGS_URL),
            notifier=Notifier(publisher, TaskCallback(lambda: step_functions)),
            report=RecordingReport(SILENT.metrics),
            with_wav=with_wav,
            settle_margin=10,
        )

    def song(self, *clips: dict[str, str], keeping: str | None = "PENDING", tokens: tuple[str, ...] = ()) -> None:
        item: dict[str, Any] = {
            "request_id": {"S": "song-1"},
            "status": {"S": "SUCCEEDED"},
            "fingerprint": {"S": "f"},
            "task_id": {"S": "task-1"},
            "clips": {"L": [{"M": {name: {"S": text} for name, text in clip.items()}} for clip in clips]},
        }
        item |= {"keeping": {"S": keeping}} if keeping else {}
        item |= {"task_tokens": {"SS": list(tokens)}} if tokens else {}
        self.table.items["song-1"] = item

    @property
    def row(self) -> Row:
        return Row.of(cast("Any", self.table.items["song-1"]))

    @property
    def events(self) -> list[tuple[str, int]]:
        """The kind of each event, and how many recordings it has."""
        return [(event.kind, len(event.detail["recordings"])) for event in self.bus.events]

    def decide(
        self, *, hours: float = 0, receives: int = 1, redriven: bool = False, with_wav: bool = False, left: float = 300
    ) -> Any:
        order = RecordingOrder("song-1", "task-1", time.time() - hours * HOUR)
        origin = Origin(Reason.RECORDING_UNAVAILABLE, "m-0") if redriven else None
        message = Message("m-1", "receipt", "", receives, time.time(), {}, origin=origin)
        return self.keeper(with_wav=with_wav).decide(order, message, lambda: left - self.used)


def clip(number: int, **links: str) -> dict[str, str]:
    return {"clip_id": f"clip-{number}", "audio_url": f"https://cdn.example/{number}.m4a", **links}


@pytest.fixture
def around() -> Around:
    return Around()


def test_every_clip_is_copied_and_published_and_answers_the_tasks(around: Around) -> None:
    around.song(clip(1), clip(2), tokens=("token-1", "token-2"))
    assert around.decide() == Done("task-1", ended=Keeping.KEPT)
    assert [one.key for one in around.row.recordings] == ["songs/song-1/clip-1.m4a", "songs/song-1/clip-2.m4a"]
    assert around.events == [("Song Kept", 2)]
    assert {token: len(answer.detail["recordings"]) for token, answer in around.workflows.answers.items()} == {
        "token-1": 2,
        "token-2": 2,
    }
    assert around.workflows.answers["token-1"].detail["recordings"][0]["uri"] == "s3://bucket/songs/song-1/clip-1.m4a"
    assert around.decide() == Done("task-1", duplicate=True, ended=Keeping.KEPT)
    assert (len(around.links), len(around.bus.events)) == (2, 1), "a repeated message does nothing"


def test_wav_files_are_copied_where_they_are_wanted_and_there(around: Around) -> None:
    around.song(clip(1, wav_url="https://cdn.example/1.wav"), clip(2))
    around.decide(with_wav=True)
    assert [one.format for one in around.row.recordings] == ["m4a", "wav", "m4a"]


def test_only_the_files_that_are_missing_are_copied_again(around: Around) -> None:
    around.song({**clip(1, wav_url="https://cdn.example/1.wav"), "clip_id": "clip.1"}, clip(2))
    around.results["https://cdn.example/2.m4a"] = LATER
    assert isinstance(around.decide(with_wav=True), RetryIn)
    around.results.clear()
    around.links.clear()
    assert around.decide(with_wav=True) == Done("task-1", ended=Keeping.KEPT)
    assert around.links == [("https://cdn.example/2.m4a", "songs/song-1/clip-2")]


def test_a_clip_that_cannot_be_kept_loses_none_of_the_others(around: Around) -> None:
    around.song(clip(1), clip(2), tokens=("token-1",))
    around.results["https://cdn.example/1.m4a"] = NEVER
    assert around.decide() == DeadLetter(Reason.RECORDING_UNAVAILABLE, "another host", task_id="task-1")
    assert around.events == [("Song Not Kept", 1)]
    assert around.workflows.answers["token-1"].error is None
    assert len(around.workflows.answers["token-1"].detail["recordings"]) == 1


def test_each_cause_is_in_the_detail_once(around: Around) -> None:
    around.song(clip(1), clip(2), clip(3))
    around.results = {f"https://cdn.example/{number}.m4a": NEVER for number in (1, 3)}
    around.results["https://cdn.example/2.m4a"] = Unusable(Reason.RECORDING_UNAVAILABLE, "too large")
    assert around.decide() == DeadLetter(Reason.RECORDING_UNAVAILABLE, "another host; too large", task_id="task-1")


def test_a_host_that_hangs_on_one_clip_keeps_no_other_from_being_copied(around: Around) -> None:
    around.song(clip(1), clip(2), clip(3))
    around.results["https://cdn.example/1.m4a"] = AWAY
    assert isinstance(around.decide(), RetryIn)
    assert [one.clip_id for one in around.row.recordings] == ["clip-2", "clip-3"]


def test_what_is_left_of_the_time_is_shared_by_the_clips_that_are_left(around: Around) -> None:
    around.song(clip(1), clip(2), clip(3))
    around.decide(left=310)
    assert around.shares == [100, 150, 300]
    around.song(clip(1), clip(2), clip(3))
    around.decide(left=40)
    assert around.shares[3:] == [20, 20, 30], "but none has too little"


def test_a_redrive_of_what_was_given_up_tries_again(around: Around) -> None:
    around.song(clip(1), clip(2))
    around.results["https://cdn.example/1.m4a"] = NEVER
    around.decide()
    assert isinstance(around.decide(), DeadLetter), "a message that is no redrive does not"
    around.results.clear()
    assert around.decide(redriven=True) == Done("task-1", ended=Keeping.KEPT)
    assert [link for link, _ in around.links].count("https://cdn.example/2.m4a") == 1
    assert around.events == [("Song Not Kept", 1), ("Song Kept", 2)]


def test_a_recording_that_is_not_there_yet_is_asked_for_again(around: Around) -> None:
    around.song(clip(1), clip(2), tokens=("token-1",))
    around.results["https://cdn.example/2.m4a"] = LATER
    waits = [around.decide(receives=receives).seconds for receives in (1, 2, 3, 40)]
    assert waits == [10.0, 15.0, 22.5, 900.0]
    assert (len(around.row.recordings), around.events, around.workflows.answers) == (1, [], {})
    around.results.clear()
    assert around.decide().ended is Keeping.KEPT
    assert [link for link, _ in around.links].count("https://cdn.example/1.m4a") == 1


@pytest.mark.parametrize(
    ("result", "hours", "waits"),
    [
        (LATER, KEEPING_HOURS - 1, True),
        (LATER, KEEPING_HOURS + 0.4, False),
        (AWAY, KEEPING_HOURS + 1, True),
        (AWAY, KEEPING_HOURS + 167, True),
        (AWAY, KEEPING_HOURS + 169, False),
    ],
)
def test_a_recording_is_given_up_after_two_days_and_for_a_fault_that_all_share_a_week_later(
    around: Around, result: NotYet, hours: float, *, waits: bool
) -> None:
    around.song(clip(1))
    around.results["https://cdn.example/1.m4a"] = result
    assert isinstance(around.decide(hours=hours), RetryIn) is waits
    assert (around.row.keeping is Keeping.PENDING) is waits
    assert waits or around.row.keeping_detail == f"{result.detail}, for {hours:.0f} hours"
    assert isinstance(around.decide(hours=hours, redriven=True), RetryIn), "a redrive counts anew"


def test_the_wait_is_at_least_what_the_host_asked_for(around: Around) -> None:
    around.song(clip(1))
    around.results["https://cdn.example/1.m4a"] = AWAY
    assert around.decide() == RetryIn(120.0, Reason.CDN_UNAVAILABLE, "the host is away")


def test_a_message_whose_receives_run_out_is_sent_anew_with_its_age(around: Around) -> None:
    around.song(clip(1))
    around.results["https://cdn.example/1.m4a"] = AWAY
    decided = around.decide(receives=MOST_RECEIVES, hours=5)
    assert decided == Done("task-1", passed_on=True, reason=Reason.CDN_UNAVAILABLE)
    (body,) = around.sent
    order = RecordingOrder.parse(body)
    assert (order.request_id, order.task_id) == ("song-1", "task-1")
    assert time.time() - order.since == pytest.approx(5 * HOUR, abs=60)


def test_no_copy_begins_without_time_for_it(around: Around) -> None:
    around.song(clip(1))
    assert around.decide(left=29) == RetryIn(0, Reason.NO_TIME_LEFT, "too little of the invocation was left")
    assert around.links == []


def test_clips_whose_ids_are_no_names_have_names_of_their_own(around: Around) -> None:
    links = [f"https://cdn.example/{number}.m4a" for number in range(5)]
    ids = ["same", "same", "", "../../x", "a" * 129]
    around.song(*({"clip_id": name, "audio_url": link} for name, link in zip(ids, links, strict=True)))
    assert around.decide().ended is Keeping.KEPT
    keys = [one.key for one in around.row.recordings]
    assert len(set(keys)) == len(keys) == 5
    assert all(key.startswith("songs/song-1/") and key.count("/") == 2 and len(key) < 200 for key in keys)
    assert [one.clip_id for one in around.row.recordings] == ids


@pytest.mark.parametrize(
    ("clips", "detail"),
    [((), "the song has no clips"), (({"clip_id": "c"},), "a clip has no link to its recording")],
)
def test_a_song_without_a_link_is_given_up(around: Around, clips: tuple[dict[str, str], ...], detail: str) -> None:
    around.song(*clips)
    assert around.decide() == DeadLetter(Reason.RECORDING_UNAVAILABLE, detail, task_id="task-1")


def test_a_message_about_no_request_is_a_dead_letter(around: Around) -> None:
    letter = DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id="task-1")
    assert around.decide() == letter


def test_a_song_that_was_not_to_be_kept_is_left_alone(around: Around) -> None:
    around.song(clip(1), keeping=None)
    assert around.decide() == Done("task-1", duplicate=True)
    assert around.links == []


def test_another_message_that_was_faster_is_not_overwritten(around: Around) -> None:
    around.song(clip(1), clip(2))
    before = around.row
    around.results["https://cdn.example/2.m4a"] = LATER
    around.decide()
    stale = KeepingStore(around.ledger).record(before, (), Keeping.KEPT, "")
    assert isinstance(stale, Existing)
    assert around.row.keeping is Keeping.PENDING


def test_a_message_that_copied_less_than_another_one_is_not_written(around: Around) -> None:
    """Both messages found one copy. The other one has copied the second clip since, and waits for the third."""
    around.song(clip(1), clip(2), clip(3))
    around.results |= dict.fromkeys(("https://cdn.example/2.m4a", "https://cdn.example/3.m4a"), LATER)
    around.decide()
    before = around.row
    del around.results["https://cdn.example/2.m4a"]
    around.decide()
    assert (len(before.recordings), len(around.row.recordings)) == (1, 2)
    stale = KeepingStore(around.ledger).record(before, before.recordings, Keeping.PENDING, "")
    assert isinstance(stale, Existing)
    assert len(around.row.recordings) == 2


def test_a_message_that_was_overtaken_comes_back_and_finds_the_end(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    around.song(clip(1))
    before = around.row
    around.decide()
    with monkeypatch.context() as patch:
        patch.setattr(KeepingStore, "row", lambda *_: before)
        assert around.decide() == RetryIn(0, Reason.CLAIM_HELD, "another message copies the recordings of this song")
    assert around.decide() == Done("task-1", duplicate=True, ended=Keeping.KEPT)
    assert [kind for kind, _ in around.events] == ["Song Kept"]


def test_a_row_that_is_no_request_is_none(around: Around) -> None:
    around.table.items["song-1"] = {"request_id": {"S": "song-1"}}
    letter = DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id="task-1")
    assert around.decide() == letter


def test_a_ledger_that_does_not_answer_is_waited_for(around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise unavailable("GetItem")

    monkeypatch.setattr(SimulatedDynamoDb, "get_item", fails)
    assert around.decide().reason is Reason.LEDGER_UNAVAILABLE


def test_a_task_that_comes_before_the_end_of_the_copying_waits_for_it(around: Around) -> None:
    around.song(clip(1))
    tokens = TaskTokens(around.ledger)
    assert isinstance(tokens.add("song-1", "token-1"), Written)
    around.decide()
    assert around.workflows.answers.keys() == {"token-1"}
    late = tokens.add("song-1", "token-2")
    assert isinstance(late, Existing)
    assert late.row is not None
    assert (late.row.awaits_recordings, len(late.row.recordings)) == (False, 1)


def test_no_more_tasks_wait_for_recordings_than_for_a_song(around: Around) -> None:
    around.song(clip(1), tokens=tuple(f"token-{number}" for number in range(MOST_TASK_TOKENS)))
    assert isinstance(TaskTokens(around.ledger).add("song-1", "one more"), Existing)


@pytest.mark.parametrize("body", ["", "[]", "{}", json.dumps({"request_id": "#pace", "task_id": "t", "since": 1})])
def test_a_body_that_the_stack_did_not_write_is_no_order(body: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        RecordingOrder.parse(body)
