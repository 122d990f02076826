"""The hosts of recordings and the owner's bucket, in memory: what each attempt at a recording results in."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto

from song_intake.domain.reason import Reason
from song_intake.recordings.copier import Copied, NotYet, Result, Unusable
from tests.properties.simulation.faults import Fault, Step, Steps

BUCKET = "recordings"


class Served(Enum):
    """What the host of a recording answers."""

    RECORDING = auto()
    LATER = auto()
    NEVER = auto()


@dataclass(slots=True)
class Objects:
    """answers: by link, one for each attempt; the last one stays."""

    answers: dict[str, list[Served]] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    """How often each key was written."""


class SimulatedCopier:
    """In the place of RecordingCopier."""

    def __init__(self, steps: Steps, objects: Objects) -> None:
        self._steps = steps
        self._objects = objects

    def copy(self, link: str, name: str, _seconds: float) -> Result:
        fault = self._steps.before(Step.COPY)
        if fault is Fault.NOT_TAKEN:
            return NotYet(Reason.CDN_UNAVAILABLE, "simulated")
        answers = self._objects.answers[link]
        match answers.pop(0) if len(answers) > 1 else answers[0]:
            case Served.LATER:
                return NotYet(Reason.RECORDING_UNAVAILABLE, "simulated")
            case Served.NEVER:
                return Unusable(Reason.RECORDING_UNAVAILABLE, "simulated")
        key = f"{name}.m4a"
        if key not in self._objects.writes:
            self._objects.writes[key] += 1
        if fault is Fault.ANSWER_LOST:
            return NotYet(Reason.BUCKET_UNAVAILABLE, "simulated")
        return copied(key)


def copied(key: str) -> Copied:
    return Copied(BUCKET, key, "m4a", 2_000, hashlib.sha256(key.encode()).hexdigest())
