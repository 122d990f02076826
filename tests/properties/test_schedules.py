"""Requests are neither lost, nor paid for twice, nor left open, in random schedules of crashes, duplicates and delays.

The numbers of the invariants are those of simulation/invariants.py. If a schedule breaks one, Hypothesis shrinks the
schedule and prints it. `make campaign` tests many more, with other random schedules each time.

All tests assume that rows are kept longer than their messages (`expires_at`), that a crash ends the whole execution
environment, and that an operator does not use SQS's own redrive for messages without a request_id that SQS moved.
test_dead_letters_moved_by_sqs.py is about that exception.
"""

from hypothesis import given

from tests.properties.simulation import dangers, invariants
from tests.properties.simulation.choices import TAPES, Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.messages import WITHOUT_DEADLINES
from tests.properties.simulation.profile import schedules
from tests.properties.simulation.world import Parts


@schedules(suite=150, campaign=40_000)
@given(tape=TAPES)
def test_with_any_faults_no_request_is_lost_paid_for_twice_or_left_open(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.any_of_them(choices)).run()


@schedules(suite=100, campaign=10_000)
@given(tape=TAPES)
def test_with_any_faults_and_paced_creates_the_same_holds(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.any_of_them(choices), Parts(creates_per_minute=60)).run()


@schedules(suite=15, campaign=10_000)
@given(tape=TAPES)
def test_with_any_faults_and_a_budget_of_one_create_a_day_the_same_holds(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.any_of_them(choices), Parts(creates_per_day_and_sender=1)).run()


@schedules(suite=150, campaign=10_000)
@given(tape=TAPES)
def test_without_faults_every_request_gets_its_song(tape: bytes) -> None:
    # The SDK's retry of a write and a failed change of visibility do not count as faults: neither changes the result.
    explorer = Explorer(Choices(tape), dangers.HARMLESS, kinds=WITHOUT_DEADLINES)
    explorer.run()
    invariants.check_nothing_went_wrong(explorer.world)
