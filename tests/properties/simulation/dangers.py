"""How much may go wrong in one schedule."""

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
    """What a schedule may hold."""

    faults: frozenset[tuple[Step, Fault]] = frozenset()
    calm: int = 4
    """How many calls go well for one that meets a fault."""
    early_deliveries: bool = False
    """A message is delivered although it is still invisible, or deleted."""
    lost_acknowledgements: bool = False
    wrong_clocks: bool = False
    long_pauses: bool = False
    """Time leaps while a function is at work: past its lease, and past its own end, after which it may still go on."""
    redrives: bool = False
    redrives_of_untold: bool = False
    """Also of what SQS moved itself, without an attribute of ours, for a request without an id of its own."""
    harmed_of_four: int = 4
    """Of any four receives of a message in a row, how many may be harmed."""


NONE: Final = Dangers()
HARMLESS: Final = Dangers(faults=_HARMLESS, calm=2)


def any_of_them(choices: Choices) -> Dangers:
    """A selection: with all of them at once, few schedules would get far enough to meet a rare one."""
    return Dangers(
        faults=_some_faults(choices),
        calm=choices.pick((8, 4, 2, 1)),
        early_deliveries=choices.pick((False, True)),
        lost_acknowledgements=choices.pick((False, True)),
        wrong_clocks=choices.pick((False, True)),
        long_pauses=choices.pick((False, True)),
        redrives=choices.pick((False, True)),
    )


def at_most_harmed(receives: int, choices: Choices) -> Dangers:
    """A queue that keeps its word about visibility, a true clock, and no more harmed receives than this in four."""
    return Dangers(
        faults=_some_faults(choices),
        calm=choices.pick((4, 2, 1)),
        lost_acknowledgements=True,
        redrives=True,
        redrives_of_untold=True,
        harmed_of_four=receives,
    )


def _some_faults(choices: Choices) -> frozenset[tuple[Step, Fault]]:
    return frozenset(fault for fault in _EVERY_FAULT if choices.pick((False, True, False)))
