"""The threads of one batch and their slots, in virtual time: when each sends, and what happens to unused slots."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import pytest

from song_intake.admission.lead import LEAD_SECONDS, MARGIN_SECONDS, SOONEST_SECONDS
from song_intake.admission.pace import Pace
from song_intake.admission.pace_item import PACE_KEY, PaceItem
from song_intake.admission.pacer import Reservation, SharedPacer, Unpaced
from song_intake.admission.slots import MOST_HELD_SECONDS, MOST_LATE_SECONDS
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from tests.performance.paced_surroundings import HALF_A_WRITE, Database, Seconds
from tests.performance.virtual_time import Process, VirtualTime
from tests.properties.simulation.dynamodb import unavailable

INTERVAL = 3.0
TIMEOUT, PAID_CALL, CONNECT_TIMEOUT = 240.0, 40.0, 5.0
START = 1_700_000_000.0
THREADS = 60
WRITE = 0.012  # seconds, the longest write of the simulated database


class Unreachable(Database):
    def update_item(self, **_write: object) -> dict[str, object]:
        self._pause(HALF_A_WRITE)
        raise unavailable("UpdateItem")


@dataclass
class Batch:
    """One invocation whose threads start with it. Times are seconds from its start."""

    time_left: float = TIMEOUT
    lately: tuple[float, ...] = (0.1,)
    """What connecting and claiming took in earlier invocations of the process; () in a new process."""
    database_type: type[Database] = Database
    sent: dict[str, float] = field(default_factory=dict)
    admitted: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, Retryable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time = VirtualTime(START)
        self.database = self.database_type(self.pause)
        self.table = PaceItem(self.database.client, "ledger")
        self.process = Process()
        self._threads: list[Callable[[SharedPacer], None]] = []

    def pause(self, bounds: Seconds) -> None:
        self.time.sleep(bounds[1])

    def now(self) -> float:
        return self.time.now - START

    def sends(self, name: str, ready_after: float = 0.1, comes_after: float = 0.0) -> None:
        def thread(pacer: SharedPacer) -> None:
            self.time.sleep(comes_after)
            self._send(pacer, name, ready_after, None)

        self._threads.append(thread)

    def gets_a_429(self, name: str, after: float = 0.2) -> None:
        """It sends, and gets a 429 these seconds later."""
        self._threads.append(lambda pacer: self._send(pacer, name, 0.1, after))

    def sends_nothing(self, name: str) -> None:
        """It connects, and then has nothing to send."""
        self._threads.append(lambda pacer: self._send_nothing(pacer, name))

    def run(self) -> "Batch":
        pacer = SharedPacer(self.table, 20, PAID_CALL, CONNECT_TIMEOUT, self.time.condition)
        for seconds in self.lately:
            pacer.lead.record(seconds)
        with self.time.clock():
            pacer.begin(lambda: self.time_left)
            for thread in self._threads:
                self.time.start(self.process, lambda thread=thread: thread(pacer))  # type: ignore[misc]
            self.time.run()
        return self

    def pace(self) -> Pace:
        """The pace in the table."""
        seen: list[Pace] = []

        def read() -> None:
            seen.append(PaceItem(self.database.client, "ledger").change(lambda pace: (pace, pace)))

        with self.time.clock():
            self.time.start(Process(), read)
            self.time.run()
        return seen[0]

    def _admitted(self, reservation: Reservation | Retryable, name: str) -> bool:
        self.admitted[name] = self.now()
        if isinstance(reservation, Retryable):
            self.refusals[name] = reservation
        return not isinstance(reservation, Retryable)

    def _send(self, pacer: SharedPacer, name: str, ready_after: float, refused_after: float | None) -> None:
        with pacer.reserve() as reservation:
            if not self._admitted(reservation, name) or isinstance(reservation, Retryable):
                return
            self.time.sleep(ready_after)
            refusal = reservation.wait()
            if refusal is not None:
                self.refusals[name] = refusal
                return
            self.sent[name] = self.now()
            if refused_after is not None:
                self.time.sleep(refused_after)
                reservation.slow_down(None)

    def _send_nothing(self, pacer: SharedPacer, name: str) -> None:
        with pacer.reserve() as reservation:
            self._admitted(reservation, name)
            self.time.sleep(0.1)


def moments(batch: Batch) -> list[float]:
    return sorted(batch.sent.values())


def about(*expected: float) -> object:
    return pytest.approx(list(expected), abs=2 * WRITE)


def test_without_a_pace_no_thread_waits() -> None:
    pacer = Unpaced()
    with pacer.reserve() as reservation:
        assert not isinstance(reservation, Retryable)
        assert reservation.wait() is None


def test_the_first_create_is_sent_at_once_and_the_others_one_interval_apart() -> None:
    batch = Batch()
    for name in "abc":
        batch.sends(name)
    batch.run()
    assert list(batch.sent) == ["a", "b", "c"]
    assert moments(batch) == about(SOONEST_SECONDS, SOONEST_SECONDS + INTERVAL, SOONEST_SECONDS + 2 * INTERVAL)


def test_a_thread_is_admitted_shortly_before_its_slot_and_sends_at_its_slot() -> None:
    batch = Batch()
    batch.sends("a")
    batch.sends("b")
    batch.run()
    assert batch.admitted["b"] == pytest.approx(batch.sent["b"] - LEAD_SECONDS)


def test_a_thread_starts_as_long_before_its_slot_as_connecting_took_lately() -> None:
    batch = Batch(lately=(3.0,))
    for name in "abc":
        batch.sends(name, ready_after=3.0)
    batch.run()
    first = 1.1 * 3.0 + MARGIN_SECONDS
    assert moments(batch) == about(first, first + INTERVAL, first + 2 * INTERVAL)
    assert batch.admitted["c"] == pytest.approx(batch.sent["c"] - first, abs=2 * WRITE)


def test_a_new_process_allows_for_the_slowest_connect() -> None:
    batch = Batch(lately=())
    batch.sends("a", ready_after=4.5)
    batch.sends("b", ready_after=4.5)
    batch.run()
    assert batch.admitted["b"] < 1, "both start at once"
    first, second = moments(batch)
    assert first == pytest.approx(SOONEST_SECONDS + 2 * INTERVAL, abs=2 * WRITE), "the first slot after the connects"
    assert INTERVAL - WRITE < second - first < INTERVAL + MOST_LATE_SECONDS


def test_after_a_slow_connect_the_other_threads_start_earlier() -> None:
    batch = Batch()
    for name in "abc":
        batch.sends(name, ready_after=2.0)
    batch.run()
    first = SOONEST_SECONDS + INTERVAL
    assert moments(batch) == about(first, first + INTERVAL, first + 2 * INTERVAL), "a missed the first slot"
    assert batch.admitted["c"] == pytest.approx(batch.sent["c"] - 1.1 * 2.0 - MARGIN_SECONDS, abs=2 * WRITE)


def test_threads_that_start_together_share_a_reservation_write() -> None:
    batch = Batch()
    for name in "abcdefghij":
        batch.sends(name)
    batch.run()
    assert len(batch.sent) == 10
    assert batch.database.writes[PACE_KEY] == 2, "the first thread writes, and the other nine share the next write"


def test_the_slot_of_a_duplicate_goes_to_the_next_thread_and_the_last_slot_back_to_the_table() -> None:
    batch = Batch()
    batch.sends_nothing("a")
    for name in "bcd":
        batch.sends(name)
    batch.run()
    assert moments(batch) == about(SOONEST_SECONDS, SOONEST_SECONDS + INTERVAL, SOONEST_SECONDS + 2 * INTERVAL)
    [free] = batch.pace().free
    assert free == pytest.approx(START + SOONEST_SECONDS + 3 * INTERVAL, abs=2 * WRITE)


def test_a_returned_slot_can_be_reserved_again() -> None:
    batch = Batch()
    batch.sends_nothing("a")
    batch.sends("b")
    batch.sends("late", comes_after=1.0)
    batch.run()
    assert moments(batch) == about(SOONEST_SECONDS, SOONEST_SECONDS + INTERVAL)
    assert batch.pace().free == ()


def test_a_batch_that_ends_early_returns_its_future_slots() -> None:
    batch = Batch()
    for name in "abc":
        batch.sends_nothing(name)
    batch.run()
    # Each thread ends after 0.1 s. By then the first slot is too close for another worker.
    assert len(batch.pace().free) >= 1
    assert batch.now() < INTERVAL


def test_a_thread_that_is_too_late_for_its_slot_sends_at_the_next_one() -> None:
    batch = Batch()
    batch.sends("slow", ready_after=SOONEST_SECONDS + MOST_LATE_SECONDS + 0.1)
    batch.sends("b")
    batch.run()
    first = SOONEST_SECONDS + INTERVAL
    assert moments(batch) == about(first, first + INTERVAL)


def test_a_thread_that_is_a_little_late_sends_at_once() -> None:
    batch = Batch()
    batch.sends("a", ready_after=SOONEST_SECONDS + MOST_LATE_SECONDS - 0.05)
    batch.run()
    assert moments(batch) == about(SOONEST_SECONDS + MOST_LATE_SECONDS - 0.05)


def test_a_thread_without_time_for_a_paid_call_is_refused_with_the_time_of_the_next_slot() -> None:
    batch = Batch(time_left=PAID_CALL + SOONEST_SECONDS + INTERVAL + 1)
    for name in "abc":
        batch.sends(name)
    batch.run()
    assert list(batch.sent) == ["a", "b"]
    refusal = batch.refusals["c"]
    assert refusal.reason is Reason.PACED
    assert refusal.retry_after == pytest.approx(2 * INTERVAL, abs=2 * WRITE), "in time to connect for that slot"
    assert batch.admitted["c"] < 1, "it is refused at once"


def test_an_open_connection_does_not_wait_for_the_end_of_a_pause() -> None:
    batch = Batch()
    batch.gets_a_429("a", after=INTERVAL - LEAD_SECONDS / 2)
    batch.sends("b", ready_after=0)
    batch.run()
    assert batch.admitted["b"] < SOONEST_SECONDS + INTERVAL, "it was admitted for a slot that was dropped later"
    refusal = batch.refusals["b"]
    assert (refusal.reason, list(batch.sent)) == (Reason.PACED, ["a"])
    assert refusal.retry_after is not None
    assert refusal.retry_after > MOST_HELD_SECONDS


def test_after_a_429_the_reserved_slots_are_dropped_and_new_ones_come_later_and_slower() -> None:
    batch = Batch()
    batch.gets_a_429("a")
    for name in "bc":
        batch.sends(name)
    batch.run()
    pause = SOONEST_SECONDS + 0.2 + 3 * INTERVAL
    assert moments(batch)[0] == pytest.approx(SOONEST_SECONDS, abs=2 * WRITE)
    assert moments(batch)[1] == pytest.approx(pause, abs=2 * WRITE)
    assert moments(batch)[2] - moments(batch)[1] == pytest.approx(2 * INTERVAL, rel=0.05)
    assert batch.pace().slow == 2
    assert batch.pace().free == (), "the slots reserved before the 429 are dropped"


def test_without_the_table_nothing_is_sent_and_every_thread_gets_the_reason() -> None:
    batch = Batch(database_type=Unreachable)
    for name in "abcdefghij":
        batch.sends(name)
    batch.run()
    assert not batch.sent
    assert {refusal.reason for refusal in batch.refusals.values()} == {Reason.LEDGER_UNAVAILABLE}
    assert len(batch.refusals) == 10
    failures = [refusal for refusal in batch.refusals.values() if not refusal.is_repeat]
    assert len(failures) == 2, "one of each write: of the first thread, and of the other nine"


def test_no_slot_can_be_reserved_before_the_invocation_begins() -> None:
    batch = Batch()
    pacer = SharedPacer(batch.table, 20, PAID_CALL, CONNECT_TIMEOUT)
    with pytest.raises(RuntimeError):
        pacer.reserve()


def test_many_real_threads_at_one_slot_a_millisecond_each_get_a_slot() -> None:
    # Only the table is simulated. It responds at once.
    table = PaceItem(Database(lambda _: None).client, "ledger")
    pacer = SharedPacer(table, 60_000, PAID_CALL, CONNECT_TIMEOUT)
    pacer.begin(lambda: TIMEOUT)
    together = Barrier(THREADS)

    def thread(number: int) -> bool:
        together.wait()
        with pacer.reserve() as reservation:
            return not isinstance(reservation, Retryable) and (number % 3 == 0 or reservation.wait() is None)

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(thread, range(THREADS)))
