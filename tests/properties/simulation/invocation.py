"""One run of a function: past every call it makes, or stopped before each until the schedule lets it go on."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from song_intake.work.batch import TimeLeft
from tests.properties.simulation.faults import Fault, Step

Answer = TypeVar("Answer")

Decide = Callable[[Step], Fault | None]
"""What goes wrong with the call before which a function stands."""


class Death(BaseException):
    """The end of the process. The package catches Exception widely, on purpose; a death is none."""


class Run(Generic[Answer]):
    """A function that runs through, and asks before each call what goes wrong with it."""

    is_over = True
    at: Step | None = None

    def __init__(self, name: str, function: Callable[[TimeLeft], Answer], time_left: TimeLeft, decide: Decide) -> None:
        self.name = name
        self._function, self._time_left, self._decide = function, time_left, decide
        self.response: Answer | None = None
        self.dead = False
        self.error: BaseException | None = None

    def start(self) -> None:
        """Up to its end, or its death."""
        try:
            response = self._function(self._time_left)
        except Death:
            return
        self.response = None if self.dead else response

    def before(self, step: Step) -> Fault | None:
        """Called on its own threads. A dead process does nothing more, whoever caught its death."""
        fault = None if self.dead else self._decide(step)
        self.dead = self.dead or fault is Fault.DEATH
        if self.dead:
            raise Death
        return fault


class Invocation(Generic[Answer]):
    """A function that takes one record, or one call, on a thread of its own.

    Batch hands the record to a second thread and waits for it, so at most one of the two is ever at work, and one baton
    is enough for both: whoever holds it runs, the schedule or the invocation.
    """

    def __init__(self, name: str, function: Callable[[TimeLeft], Answer], time_left: TimeLeft) -> None:
        self.name = name
        self._function, self._time_left = function, time_left
        self._whole_time = time_left()
        self.at: Step | None = None
        """The call before which it stands."""
        self.response: Answer | None = None
        self.dead = False
        self.error: BaseException | None = None
        self._fault: Fault | None = None
        self._go, self._stopped = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._stopped.acquire()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def start(self) -> None:
        """Up to the first call."""
        self._thread.start()
        self._wait()

    def resume(self, fault: Fault | None = None) -> None:
        """Let the call happen, or go wrong, and go on up to the next one. A death ends the invocation."""
        self._fault = fault
        self.dead = self.dead or fault is Fault.DEATH
        self._go.release()
        self._wait()

    def before(self, step: Step) -> Fault | None:
        """Called on its own threads. A dead process does nothing more, whoever caught its death."""
        if not self.dead:
            self.at = step
            self._stopped.release()
            self._go.acquire()
        if self.dead:
            raise Death
        return self._fault

    def _wait(self) -> None:
        self._stopped.acquire()
        if self.at is None:
            self._thread.join()

    def _time_left_here(self) -> float:
        """Batch asks once on its own thread, how long to wait for the record: no leap of time may get in before."""
        return self._whole_time if threading.current_thread() is self._thread else self._time_left()

    def _run(self) -> None:
        try:
            response = self._function(self._time_left_here)
            self.response = None if self.dead else response
        except Death:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the schedule, which fails on it
            self.error = error
        finally:
            self.at = None
            self._stopped.release()
