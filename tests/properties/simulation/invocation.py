"""One invocation of a function: it runs to its end, or stops before each call until the schedule resumes it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from song_intake.work.batch import TimeLeft
from tests.properties.simulation.faults import Fault, Step

Answer = TypeVar("Answer")

Decide = Callable[[Step], Fault | None]
"""Returns the fault of the next call of a function, or None."""


class Crash(BaseException):
    """A crash of the process. It is no Exception, because the package catches every Exception on purpose."""


class Run(Generic[Answer]):
    """A function that runs to its end, and asks before each call for its fault."""

    is_over = True
    at: Step | None = None

    def __init__(self, name: str, function: Callable[[TimeLeft], Answer], time_left: TimeLeft, decide: Decide) -> None:
        self.name = name
        self._function, self._time_left, self._decide = function, time_left, decide
        self.response: Answer | None = None
        self.dead = False
        self.error: BaseException | None = None

    def start(self) -> None:
        """Run to the end, or to a crash."""
        try:
            response = self._function(self._time_left)
        except Crash:
            return
        self.response = None if self.dead else response

    def before(self, step: Step) -> Fault | None:
        """Called on the threads of the function. A crashed process does nothing more, even if it caught the crash."""
        fault = None if self.dead else self._decide(step)
        self.dead = self.dead or fault is Fault.DEATH
        if self.dead:
            raise Crash
        return fault


class Invocation(Generic[Answer]):
    """A function that handles one record, or one HTTP call, on its own thread.

    Batch passes the record to a second thread and waits for it, so only one of the two runs at a time. One pair of
    locks is therefore enough to switch between the schedule and the invocation.
    """

    def __init__(self, name: str, function: Callable[[TimeLeft], Answer], time_left: TimeLeft) -> None:
        self.name = name
        self._function, self._time_left = function, time_left
        self.at: Step | None = None
        """The call before which it has stopped."""
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
        """Run up to the first call."""
        self._thread.start()
        self._wait()

    def resume(self, fault: Fault | None = None) -> None:
        """Make the call, or fail it, and run up to the next one. A crash ends the invocation."""
        self._fault = fault
        self.dead = self.dead or fault is Fault.DEATH
        self._go.release()
        self._wait()

    def before(self, step: Step) -> Fault | None:
        """Called on the threads of the function. A crashed process does nothing more, even if it caught the crash."""
        if not self.dead:
            self.at = step
            self._stopped.release()
            self._go.acquire()
        if self.dead:
            raise Crash
        return self._fault

    def _wait(self) -> None:
        self._stopped.acquire()
        if self.at is None:
            self._thread.join()

    def _run(self) -> None:
        try:
            response = self._function(self._time_left)
            self.response = None if self.dead else response
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - passed to the schedule, which raises it
            self.error = error
        finally:
            self.at = None
            self._stopped.release()
