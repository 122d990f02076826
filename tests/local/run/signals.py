"""How a run is asked to end, and ends in peace."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

# Ctrl-C; `kill`; the terminal's window closed.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asks the run to end. Like KeyboardInterrupt no Exception, so that nothing catches it in passing."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        # What a shell reports for a command that a signal ended: 130 for Ctrl-C.
        self.exit_code = 128 + signal_number


def raise_when_stopped() -> None:
    """From now on a signal to stop raises Stopped: SIGINT also in a shell's background, where it is ignored otherwise.

    A SIGHUP that is ignored stays so: that is what nohup is for.
    """
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def stay_deaf() -> None:
    """From now on nothing but the end of the program ends it."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def undisturbed_end() -> Iterator[None]:
    """Enter it last: whatever ends the body, no second Ctrl-C interrupts the contexts around it while they clean up."""
    try:
        yield
    finally:
        stay_deaf()


@contextmanager
def held_back() -> Iterator[None]:
    """A signal to stop waits for the end of the body. Not for a body that starts a process: that would inherit it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _stop(signal_number: int, _frame: FrameType | None) -> NoReturn:
    # What is interrupted while it is made may complain while it is thrown away: nothing that concerns the user.
    sys.unraisablehook = lambda _: None
    raise Stopped(signal_number)
