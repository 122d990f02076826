"""The calls of a function to the outside, and the faults that each may have."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol


class Step(StrEnum):
    """The calls that leave the process. Before each of them, the schedule decides which invocation continues."""

    SECRET = "reads the secret"
    CONNECT = "connects to the music API"
    CREATE = "creates the song"
    STATEMENTS = "writes to the ledger by a statement"
    WRITE = "writes to the ledger"
    READ = "reads the ledger"
    WRITE_AGAIN = "writes to the ledger again"
    LETTER = "sends a dead letter"
    ANEW = "sends the request anew"
    CHECK = "sends a check of the song"
    EVENT = "publishes an event"
    ORDER = "orders the recordings"
    COPY = "copies a recording"
    HIDE = "changes visibility"
    KEY = "reads the signing key"
    POLL = "polls the song"
    CALLBACK = "completes the task of a workflow"
    ANSWER = "returns its response"


class Fault(StrEnum):
    """What happens instead of a successful call."""

    DEATH = "the process crashes before it"
    NOT_TAKEN = "it fails, and has no effect"
    ANSWER_LOST = "it takes effect, and its response is lost"
    SENT_TWICE = "it takes effect, its response is lost, and the SDK sends it again"
    LATE = "it fails, and takes effect later"
    LATE_AND_SENT_AGAIN = "the SDK sends it again, and the first one takes effect after that"
    REFUSED_ONE_BY_ONE = "it has no effect, and the response reports an error for each statement"
    DONE_AND_REFUSED = "it takes effect, and the response reports an error for each statement"
    FORBIDDEN = "AWS refuses it for good"
    REFUSED = "400"
    RATE_LIMITED = "429"
    NO_CREDITS = "402"
    TOKEN_REFUSED = "401"
    ERROR = "502 instead of a song"
    ERROR_AND_SONG = "502 and a song"
    NO_TASK_ID = "200 and a song, without a task_id"


FAULTS_AT: Final[Mapping[Step, tuple[Fault, ...]]] = {
    Step.SECRET: (Fault.DEATH, Fault.NOT_TAKEN),
    Step.KEY: (Fault.DEATH, Fault.NOT_TAKEN),
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
    Step.READ: (Fault.DEATH, Fault.NOT_TAKEN),
    Step.WRITE_AGAIN: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.LETTER: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.ANEW: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.CHECK: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.EVENT: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.HIDE: (Fault.DEATH, Fault.NOT_TAKEN),
}


# For track_song, receive_webhook, and submit_song where a story returns to it. A crash after a call is the same as a
# crash before the next call; after the last call, it is a crash before the response, which deletes the message.
FAULTS_OF_FOLLOWING: Final[Mapping[Step, tuple[Fault, ...]]] = {
    **FAULTS_AT,
    Step.POLL: (Fault.DEATH, Fault.NOT_TAKEN, Fault.TOKEN_REFUSED, Fault.RATE_LIMITED, Fault.ERROR),
    Step.CALLBACK: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.ORDER: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.COPY: (Fault.DEATH, Fault.NOT_TAKEN, Fault.ANSWER_LOST),
    Step.ANSWER: (Fault.DEATH,),
}


class Steps(Protocol):
    def before(self, step: Step) -> Fault | None:
        """Called by the simulated services. Returns when the schedule continues, with the fault of the call, if any."""
        ...


def is_harmful(step: Step, fault: Fault) -> bool:
    """Whether this fault may keep the function from carrying out its decision.

    These faults do not: any response of the vendor, a write that the SDK sent again, a failed statement that is
    followed by a single write, and a failed change of visibility.
    """
    if fault is Fault.DEATH or step is Step.KEY:
        # Without the key, nothing can be signed, and the message can only wait.
        return True
    if step is Step.STATEMENTS:
        return fault in (Fault.ANSWER_LOST, Fault.LATE)
    return step in _WRITING and fault is not Fault.SENT_TWICE


_WRITING: Final = (Step.WRITE, Step.WRITE_AGAIN, Step.LETTER, Step.ANEW, Step.CHECK, Step.EVENT)
