"""Where a function touches the world, and what may go wrong there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol


class Step(StrEnum):
    """The calls that leave the process. Before each of them the schedule decides what happens next, and to whom."""

    SECRET = "reads the secret"
    CONNECT = "connects to the music API"
    CREATE = "asks for the song"
    STATEMENTS = "writes to the ledger by a statement"
    WRITE = "writes to the ledger"
    WRITE_AGAIN = "writes to the ledger again"
    LETTER = "sends a dead letter"
    CHECK = "sends a check of the song"
    EVENT = "announces what happened"
    HIDE = "changes visibility"
    KEY = "reads the key of the webhook"
    POLL = "asks how the song is"
    CALLBACK = "answers the task of a workflow"
    ANSWER = "answers whoever invoked it"


class Fault(StrEnum):
    """What happens instead of the call."""

    DEATH = "the process dies before it"
    NOT_TAKEN = "it fails and is not done"
    ANSWER_LOST = "it is done and its answer is lost"
    SENT_TWICE = "it is done, its answer is lost, and the SDK sends it again"
    LATE = "it fails, and is done later"
    LATE_AND_SENT_AGAIN = "the SDK sends it again, and the first one is done later still"
    REFUSED_ONE_BY_ONE = "it is not done, and says so in an answer that is whole"
    DONE_AND_REFUSED = "it is done, and its answer says that it is not"
    REFUSED = "400"
    RATE_LIMITED = "429"
    NO_CREDITS = "402"
    TOKEN_REFUSED = "401"
    ERROR = "502 instead of a song"
    ERROR_AND_SONG = "502 and a song"
    NO_TASK_ID = "200 and a song, without a task_id"


FAULTS_AT: Final[Mapping[Step, tuple[Fault, ...]]] = {
    Step.SECRET: (Fault.DEATH, Fault.NOT_TAKEN),
    Step.CONNECT: (Fault.DEATH, Fault.NOT_TAKEN),
    Step.CREATE: (
        Fault.DEATH,
        Fault.NOT_TAKEN,
        Fault.ANSWER_LOST,
        Fault.LATE,
        Fault.REFUSED,
        Fault.RATE_LIMITED,
        Fault.NO_CREDITS,
        Fault.TOKEN_REFUSED,
        Fault.ERROR,
        Fault.ERROR_AND_SONG,
        Fault.NO_TASK_ID,
    ),
    Step.STATEMENTS: (
        Fault.DEATH,
        Fault.NOT_TAKEN,
        Fault.REFUSED_ONE_BY_ONE,
        Fault.DONE_AND_REFUSED,
        Fault.ANSWER_LOST,
        Fault.SENT_TWICE,
        Fault.LATE,
    ),
    Step.WRITE: (
        Fault.DEATH,
        Fault.NOT_TAKEN,
        Fault.ANSWER_LOST,
        Fault.SENT_TWICE,
        Fault.LATE,
        Fault.LATE_AND_SENT_AGAIN,
    ),
    Step.WRITE_AGAIN: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.LETTER: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.CHECK: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.EVENT: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.HIDE: (Fault.DEATH, Fault.NOT_TAKEN),
}


# Of track_song and receive_webhook, and of submit_song as far as a story comes back to it. A death after a call is the
# death before the next one; after the last, it is the death before the answer, by which a message is acknowledged.
FAULTS_OF_FOLLOWING: Final[Mapping[Step, tuple[Fault, ...]]] = {
    **FAULTS_AT,
    Step.KEY: (Fault.DEATH, Fault.NOT_TAKEN),
    Step.POLL: (Fault.DEATH, Fault.NOT_TAKEN, Fault.TOKEN_REFUSED, Fault.RATE_LIMITED, Fault.ERROR),
    Step.CALLBACK: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.ANSWER: (Fault.DEATH,),
}


class Steps(Protocol):
    def before(self, step: Step) -> Fault | None:
        """Called by the simulated services. Returns when the schedule lets the call happen."""
        ...


def is_harmful(step: Step, fault: Fault) -> bool:
    """Whether this fault may keep the function from carrying out what it decided.

    The vendor's answers do not, nor a write that the SDK sent again, nor a statement that the single write stands in
    for, nor a visibility that was not changed.
    """
    if fault is Fault.DEATH:
        return True
    if step is Step.STATEMENTS:
        return fault in (Fault.ANSWER_LOST, Fault.LATE)
    return step in _WRITING and fault is not Fault.SENT_TWICE


_WRITING: Final = (Step.WRITE, Step.WRITE_AGAIN, Step.LETTER, Step.CHECK, Step.EVENT)
