"""`make run`: the whole stack on this machine, song requests through it, and what became of each.

In a terminal the stack then stays up until Ctrl-C. Exit code 0: every request ended as it should and none was created
twice; 1: not so, or the stack did not come up, with a line that says why; 130: Ctrl-C.
"""

import argparse
import os
import sys
from typing import Final

from tests.local.run.signals import Stopped, held_back, raise_when_stopped, stay_deaf

PORT_VARIABLE: Final = "SONG_INTAKE_PORT"
DEFAULT_PORT: Final = 4570


def main() -> int:
    try:
        raise_when_stopped()
        return _run(_wanted_port())
    except Stopped as stopped:
        stay_deaf()
        # A terminal has put ^C where the cursor was.
        begin = "\n" if sys.stderr.isatty() else ""
        print(f"{begin}Interrupted; everything is stopped.", file=sys.stderr)  # noqa: T201
        return stopped.exit_code


def _run(port: int) -> int:
    # Loading these takes up to a second. A Ctrl-C in it must not end in a traceback, nor be lost in the import system,
    # which calls back where no exception gets out.
    with held_back():
        from tests.local.cloud.cloud import PortTaken  # noqa: PLC0415
        from tests.local.run.stages import Failure, run  # noqa: PLC0415

    _leave_every_account()
    try:
        return 0 if run(port) else 1
    except PortTaken as taken:
        failure = f"{taken}, as with: make run {PORT_VARIABLE}=0 (any free one)"
    except Failure as other:
        failure = str(other)
    print(failure, file=sys.stderr)  # noqa: T201
    return 1


def _wanted_port() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.local.run", description="The stack on this machine.")
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get(PORT_VARIABLE) or str(DEFAULT_PORT),
        help=f"of the local cloud, 0 for any free one; also {PORT_VARIABLE} (default: {DEFAULT_PORT})",
    )
    port: int = parser.parse_args().port
    return port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, which is a number from 0 to 65535")
    return int(text)


def _leave_every_account() -> None:
    """A profile or an endpoint that this shell is set up for must not get between us and the local cloud."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


if __name__ == "__main__":
    sys.exit(main())
