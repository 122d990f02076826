"""The signals that stop a run, and a clean-up that they cannot interrupt."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

# Ctrl-C; `kill`; the terminal's window closed.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asks the run to stop. Not an Exception, like KeyboardInterrupt, so that no handler catches it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
        # The exit code that a shell reports for a command that a signal ended: 130 for Ctrl-C.
        self.exit_code = 128 + signal_number


def raise_when_stopped() -> None:
    """From now on a stop signal raises Stopped, SIGINT also in the background of a shell, which ignores it by default.

    A SIGHUP that is already ignored stays ignored, for nohup.
    """
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def ignore_signals() -> None:
    """From now on no stop signal ends the program."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def uninterrupted_exit() -> Iterator[None]:
    """Enter it last. After its body, no second Ctrl-C interrupts the clean-up of the contexts around it."""
    try:
        yield
    finally:
        ignore_signals()


@contextmanager
def signals_blocked() -> Iterator[None]:
    """A stop signal takes effect after the body. The body must not start a process, which would inherit the mask."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _stop(signal_number: int, _frame: FrameType | None) -> NoReturn:
    # A half-built object may raise in its destructor, which is of no interest to the user.
    sys.unraisablehook = lambda _: None
    raise Stopped(signal_number)
