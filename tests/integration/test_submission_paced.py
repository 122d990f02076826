"""A request that waits for its slot, on real parts: what it holds meanwhile, and what happens without a slot."""

import itertools
from collections.abc import Callable
from types import TracebackType

from song_intake.admission.circuit_breaker import FAULTS_IN_A_ROW, CircuitBreaker
from song_intake.admission.pace_item import PACE_KEY, PaceItem
from song_intake.admission.pacer import Pacer, Reservation, SharedPacer
from song_intake.domain.decision import DeadLetter, Done, SendAnew
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from tests.integration import unreachable
from tests.integration.bench import (
    FINAL_RECEIVE,
    PAID_CALL,
    PLENTY_OF_TIME,
    Bench,
    new_id,
    plenty_of_time,
)
from tests.integration.decisions import TITLE, decide, record, redriven, retry_in
from tests.integration.handling import failed
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour

CONNECT_TIMEOUT = 1.0

AWAY = Retryable(Reason.LEDGER_UNAVAILABLE, "away")
CROWDED = Retryable(Reason.PACED, "crowded", retry_after=0.5)


class Planned(Pacer, Reservation):
    """Reservations that the test plans. lost: how many slots are lost. reservations: how many there are. while_waiting:
    called while the slot is awaited."""

    def __init__(
        self,
        no_slot: Retryable | None = None,
        lost_slot: Retryable | None = None,
        while_waiting: Callable[[], object] | None = None,
        lost: int = 1,
        reservations: int = 10,
    ) -> None:
        self.reserved = 0
        self.is_released = False
        self.slowdowns: list[float | None] = []
        self._no_slot, self._lost_slot, self._while_waiting = no_slot, lost_slot, while_waiting
        self._lost, self._reservations = lost if lost_slot else 0, reservations

    def begin(self, time_left: Callable[[], float]) -> None: ...

    def reserve(self) -> Reservation:
        self.reserved += 1
        return self

    def __enter__(self) -> Reservation | Retryable:
        return self._no_slot or (self if self.reserved <= self._reservations else CROWDED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_released = True

    def wait(self) -> Retryable | None:
        if self._while_waiting:
            self._while_waiting()
        return self._lost_slot if self.reserved <= self._lost else None

    def slow_down(self, retry_after: float | None) -> None:
        self.slowdowns.append(retry_after)


def test_without_a_slot_nothing_is_connected_or_claimed_and_the_message_waits_for_the_next(
    bench: Bench, request_id: str
) -> None:
    bench.vendor.refuse_connections()
    decision = decide(bench.submission(pacer=Planned(no_slot=CROWDED)), record(request_id, receives=2))
    assert decision == SendAnew(0.5, Reason.PACED, "crowded"), "for the same time, however often it was received"
    assert bench.row(request_id) == {}


def test_a_pace_that_cannot_be_written_is_a_fault_of_the_ledger_and_a_full_one_is_none(bench: Bench) -> None:
    reports: list[Reason] = []

    def report(reason: Reason, _: float | None) -> bool:
        reports.append(reason)
        return True

    breaker = CircuitBreaker(report)
    for no_slot, reported in ((CROWDED, []), (AWAY, [Reason.LEDGER_UNAVAILABLE])):
        submission = bench.submission(pacer=Planned(no_slot=no_slot), breaker=breaker)
        for _ in range(FAULTS_IN_A_ROW):
            assert decide(submission, record(new_id("paced"))).reason is no_slot.reason
        assert reports == reported


def test_a_message_that_only_waited_for_its_slot_spends_no_receive(bench: Bench, request_id: str) -> None:
    batch = bench.batch(bench.submission(pacer=Planned(no_slot=CROWDED)))
    assert batch.handle([record(request_id)], plenty_of_time) == {"batchItemFailures": []}
    (anew,) = bench.wait_for_requests()
    assert anew["messageAttributes"]["sent_anew_for"]["stringValue"] == "message-1"
    assert failed(bench.batch(bench.submission()).handle([anew], plenty_of_time)) == set()
    assert bench.row(request_id)["status"] == "SUBMITTED"


def test_the_claim_is_held_while_the_slot_is_awaited(bench: Bench, request_id: str) -> None:
    seen: list[object] = []
    pacer = Planned(while_waiting=lambda: seen.append((bench.row(request_id)["status"], len(bench.vendor.requests))))
    assert isinstance(decide(bench.submission(pacer=pacer), record(request_id)), Done)
    assert seen == [("SUBMITTING", 0)]
    assert pacer.is_released


def test_without_the_pace_item_the_claim_is_released_and_nothing_is_sent(bench: Bench, request_id: str) -> None:
    pacer = Planned(lost_slot=Retryable(Reason.LEDGER_UNAVAILABLE, "lost"))
    assert retry_in(decide(bench.submission(pacer=pacer), record(request_id))).reason is Reason.LEDGER_UNAVAILABLE
    assert bench.row(request_id)["status"] == "RETRYING"
    assert bench.vendor.requests == ()


def test_a_thread_whose_slot_was_missed_connects_again_for_the_next_one(bench: Bench, request_id: str) -> None:
    pacer = Planned(lost_slot=CROWDED, lost=2)
    assert isinstance(decide(bench.submission(pacer=pacer), record(request_id)), Done)
    assert pacer.reserved == 3
    assert len(bench.vendor.creates) == 1


def test_a_thread_whose_slot_was_missed_returns_its_message_when_there_is_no_other(
    bench: Bench, request_id: str
) -> None:
    pacer = Planned(lost_slot=CROWDED, lost=2, reservations=2)
    decision = decide(bench.submission(pacer=pacer), record(request_id))
    assert (type(decision), decision.reason) == (SendAnew, Reason.PACED)
    assert bench.row(request_id)["status"] == "RETRYING"
    assert bench.vendor.requests == ()


def test_the_time_left_is_checked_again_after_the_wait(bench: Bench, request_id: str) -> None:
    left = [PLENTY_OF_TIME]
    pacer = Planned(while_waiting=lambda: left.append(PAID_CALL - 0.01))
    decision = decide(bench.submission(pacer=pacer), record(request_id), lambda: left[-1])
    assert retry_in(decision).reason is Reason.NO_TIME_LEFT
    assert bench.vendor.requests == ()


def test_a_duplicate_releases_its_slot(bench: Bench, request_id: str) -> None:
    decide(bench.submission(), record(request_id))
    pacer = Planned()
    assert isinstance(decide(bench.submission(pacer=pacer), record(request_id, "message-2")), Done)
    assert pacer.is_released
    assert len(bench.vendor.creates) == 1


def test_a_429_slows_the_pace_down_by_the_vendors_retry_after(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited("7"))
    pacer = Planned()
    assert retry_in(decide(bench.submission(pacer=pacer), record(request_id))).reason is Reason.RATE_LIMITED
    assert pacer.slowdowns == [7]


def test_no_other_response_slows_the_pace_down(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.CREDITS_USED_UP))
    pacer = Planned()
    decide(bench.submission(pacer=pacer), record(request_id))
    assert pacer.slowdowns == []


def test_a_message_that_creates_nothing_reserves_no_slot(bench: Bench, request_id: str) -> None:
    pacer = Planned()
    submission = bench.submission(pacer=pacer)
    letter = DeadLetter(Reason.TASK_NOT_RECORDED, "the ledger did not answer", task_id="task-1")
    assert decide(submission, redriven(record(request_id), letter, request_id)) == Done("task-1")
    decide(submission, record(new_id("late"), receives=FINAL_RECEIVE + 1))
    assert pacer.reserved == 0


def test_without_the_pace_item_nothing_is_claimed(bench: Bench, request_id: str) -> None:
    pacer = SharedPacer(PaceItem(unreachable.dynamodb(), bench.table), 600, PAID_CALL, CONNECT_TIMEOUT)
    pacer.begin(plenty_of_time)
    decision = retry_in(decide(bench.submission(pacer=pacer), record(request_id)))
    assert decision.reason is Reason.LEDGER_UNAVAILABLE
    assert bench.row(request_id) == {}


def test_two_workers_send_their_batches_one_create_at_a_time(bench: Bench) -> None:
    for worker in ("first", "second"):
        pacer = SharedPacer(PaceItem(bench.dynamodb, bench.table), 120, PAID_CALL, CONNECT_TIMEOUT)
        batch = bench.batch(bench.submission(pacer=pacer))
        records = [record(new_id("paced"), f"{worker}-{number}") for number in range(3)]
        assert batch.handle(records, plenty_of_time) == {"batchItemFailures": []}
    arrivals = [create.at for create in bench.vendor.creates]
    assert len(arrivals) == 6
    assert all(later - earlier > 0.1 for earlier, later in itertools.pairwise(sorted(arrivals)))
    assert float(bench.row(PACE_KEY)["next_at"]) > 0
