"""What happens to one message. A job decides; the batch performs the decision and adds nothing of its own."""

from collections.abc import Mapping

from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.domain.status import Status
from song_intake.domain.trace import Trace


@frozen
class RequestContext:
    """What the row of a submitted request says about the message that brought it."""

    message_id: str | None
    metadata: Mapping[str, str]
    trace: Trace | None = None


@frozen
class Done:
    """The work of the message is done, in this invocation or an earlier one: the message leaves the queue."""

    task_id: str | None
    duplicate: bool = False
    ended: Status | Keeping | None = None
    """The final status of the song, or of the copying of its recordings, if it has one."""
    passed_on: bool = False
    """A new message continues the work of this one."""
    reason: Reason | None = None
    """Why the work is passed on."""
    links_refused: int = 0
    """How many links of the song were left out because they are not usable."""
    has_token: bool = False
    """Whether the message's task token is on the row, so that it is answered when the song ends."""
    trace: Trace | None = None
    """The trace of the request, as its row has it."""
    origin: RequestContext | None = None
    """Of a duplicate: what Song Submitted says, if the first delivery has not published it. None: it comes with the end
    of the song, since others named the task."""


@frozen
class RetryIn:
    """The message stays on its queue, hidden for `seconds`; None: for the queue's own visibility timeout."""

    seconds: float | None
    reason: Reason
    detail: str


@frozen
class DeadLetter:
    """A copy of the message goes to the dead-letter queue with these attributes; then the message leaves its queue."""

    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    task_id: str | None = None


@frozen
class SendAnew:
    """The message only waited for its slot or its budget, or its receives run out for a reason that is not its own. A
    new message with its body and its first ids takes its place on the queue, delayed by `seconds`, with a fresh receive
    count and a fresh retention.
    """

    seconds: float
    reason: Reason
    detail: str


Decision = Done | RetryIn | SendAnew | DeadLetter


class SideEffectFailed(Exception):
    """A step after the decision failed (a send, a publish, a callback): the message stays, and all steps are repeated.

    `reason` names the step. `code` is AWS's code of the failure; it repeats nothing that was sent. `for_good`: the
    same step would be refused again.
    """

    def __init__(self, reason: Reason, code: str, *, for_good: bool = False) -> None:
        super().__init__(code)
        self.reason = reason
        self.code = code
        self.for_good = for_good
