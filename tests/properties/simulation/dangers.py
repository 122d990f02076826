"""Which faults one schedule may have, and how many."""

from dataclasses import dataclass
from typing import Final

from tests.properties.simulation.choices import Choices
from tests.properties.simulation.faults import FAULTS_AT, Fault, Step

_EVERY_FAULT: Final = tuple((step, fault) for step, faults in FAULTS_AT.items() for fault in faults)
_HARMLESS: Final = frozenset(
    {
        (Step.STATEMENTS, Fault.SENT_TWICE),
        (Step.STATEMENTS, Fault.REFUSED_ONE_BY_ONE),
        (Step.STATEMENTS, Fault.DONE_AND_REFUSED),
        (Step.WRITE, Fault.SENT_TWICE),
        (Step.HIDE, Fault.NOT_TAKEN),
    }
)


@dataclass(frozen=True, slots=True)
class Dangers:
    """The limits of a schedule."""

    faults: frozenset[tuple[Step, Fault]] = frozenset()
    calm: int = 4
    """How many calls succeed for each that fails."""
    early_deliveries: bool = False
    """A message may be delivered while it is invisible, or after it was deleted."""
    lost_acknowledgements: bool = False
    wrong_clocks: bool = False
    long_pauses: bool = False
    """Time may jump during an invocation, past its lease and past its time-out. Its code may still continue then."""
    redrives: bool = False
    redrives_without_attributes: bool = False
    """Also redrives of messages without a request_id that SQS moved, which have none of this stack's attributes."""
    cancels: bool = False
    """An operator may cancel any request at any time."""
    harmed_of_four: int = 4
    """How many of any four consecutive receives of a message may be harmed."""


NONE: Final = Dangers()
HARMLESS: Final = Dangers(faults=_HARMLESS, calm=2)


def any_of_them(choices: Choices) -> Dangers:
    """A random selection. With all faults at once, few schedules would get far enough to reach a rare one."""
    return Dangers(
        faults=_some_faults(choices),
        calm=choices.pick((8, 4, 2, 1)),
        early_deliveries=choices.pick((False, True)),
        lost_acknowledgements=choices.pick((False, True)),
        wrong_clocks=choices.pick((False, True)),
        long_pauses=choices.pick((False, True)),
        redrives=choices.pick((False, True)),
        cancels=choices.pick((False, False, True)),
    )


def at_most_harmed(receives: int, choices: Choices) -> Dangers:
    """Exact clocks, a queue that keeps its visibility time-out, and at most `receives` harmed ones of any four."""
    return Dangers(
        faults=_some_faults(choices),
        calm=choices.pick((4, 2, 1)),
        lost_acknowledgements=True,
        redrives=True,
        redrives_without_attributes=True,
        harmed_of_four=receives,
    )


def _some_faults(choices: Choices) -> frozenset[tuple[Step, Fault]]:
    return frozenset(fault for fault in _EVERY_FAULT if choices.pick((False, True, False)))
