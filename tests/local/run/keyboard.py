"""Waits for the user to end a run that stays up."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.local.run.signals import Stopped

CTRL_C: Final = b"\x03"
CTRL_D: Final = b"\x04"


def wait_for_the_end() -> None:
    """Returns at Ctrl-C or Ctrl-D, at `kill -INT`, or when the terminal is gone. Raises Stopped for another signal."""
    with _ctrl_c_as_a_character():
        try:
            while os.read(sys.stdin.fileno(), 1) not in (CTRL_C, CTRL_D, b""):
                pass
        except Stopped as stopped:
            if stopped.signal_number != signal.SIGINT:
                raise
        except OSError:
            # The other end of the terminal is closed.
            return


@contextmanager
def _ctrl_c_as_a_character() -> Iterator[None]:
    """The terminal sends no signal for Ctrl-C, which would also reach make: that would call a good run a failure."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] &= ~(termios.ISIG | termios.ICANON | termios.ECHO)
    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
