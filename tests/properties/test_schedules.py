"""The promise, in every schedule of crashes, duplicates and delays that the explorer makes up.

The numbers of the invariants are those of simulation/invariants.py. Each schedule is printed where it breaks one, and
Hypothesis shrinks it first. `make campaign` looks at many more of them, other ones each time.

Assumed throughout: rows outlive their messages (`expires_at`), an execution environment is as dead as its process, and
an operator redrives nothing that SQS moved itself without a word of ours, unless the request has an id of its own.
test_untold_dead_letters.py is about that one exception.
"""

from hypothesis import given

from tests.properties.simulation import dangers, invariants
from tests.properties.simulation.choices import TAPES, Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.profile import schedules
from tests.properties.simulation.world import Parts


@schedules(suite=300, campaign=40_000)
@given(tape=TAPES)
def test_whatever_goes_wrong_nothing_is_lost_paid_for_twice_or_left_open(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.any_of_them(choices)).run()


@schedules(suite=100, campaign=10_000)
@given(tape=TAPES)
def test_nor_does_it_while_the_creates_are_paced(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.any_of_them(choices), Parts(creates_per_minute=60)).run()


@schedules(suite=150, campaign=10_000)
@given(tape=TAPES)
def test_while_nothing_goes_wrong_every_request_gets_its_song(tape: bytes) -> None:
    # A write that the SDK sent again and a visibility that was not changed are no faults: the design absorbs both.
    explorer = Explorer(Choices(tape), dangers.HARMLESS)
    explorer.run()
    invariants.check_nothing_went_wrong(explorer.world)
