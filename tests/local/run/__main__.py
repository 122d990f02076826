"""`make run`: the whole stack on this machine, song requests sent through it, and the result of each.

In a terminal, the stack then stays up until Ctrl-C. Exit code 0: every request ended as expected and none was created
twice. 1: anything else, or the stack did not start, with a line that has the cause. 130: Ctrl-C before the end of the
requests. 141: the reader of the output is gone (`| head`).
"""

import argparse
import os
import signal
import sys
from typing import Final

from tests.local.run.signals import Stopped, ignore_signals, raise_when_stopped, signals_blocked
from tests.local.run.terminal import printable

PORT_VARIABLE: Final = "SONG_INTAKE_PORT"
DEFAULT_PORT: Final = 4570
BROKEN_PIPE: Final = 128 + signal.SIGPIPE  # as a shell reports it


def main() -> int:
    try:
        raise_when_stopped()
        return _run(_wanted_port())
    except Stopped as stopped:
        ignore_signals()
        # A terminal has printed ^C at the cursor.
        begin = "\n" if sys.stderr.isatty() else ""
        print(f"{begin}Interrupted; everything is stopped.", file=sys.stderr)  # noqa: T201
        return stopped.exit_code
    except BrokenPipeError:
        # The interpreter flushes stdout once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _run(port: int) -> int:
    # These imports take up to a second. A Ctrl-C meanwhile must not end in a traceback, nor be lost in the import
    # system, which runs callbacks that swallow exceptions.
    with signals_blocked():
        from tests.local.cloud.cloud import PortTaken  # noqa: PLC0415
        from tests.local.run.stages import Failure, run  # noqa: PLC0415

    _remove_aws_settings()
    try:
        return 0 if run(port) else 1
    except PortTaken as taken:
        failure = f"{taken}, for example: make run {PORT_VARIABLE}=0 (any free port)"
    except Failure as other:
        failure = str(other)
    print(*map(printable, failure.split("\n")), sep="\n", file=sys.stderr)  # noqa: T201
    return 1


def _wanted_port() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.local.run", description="The stack on this machine.")
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get(PORT_VARIABLE) or str(DEFAULT_PORT),
        help=f"port of the local cloud, 0 for any free port; also {PORT_VARIABLE} (default: {DEFAULT_PORT})",
    )
    port: int = parser.parse_args().port
    return port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (0 to 65535)")
    return int(text)


def _remove_aws_settings() -> None:
    """A profile or an endpoint of the user's shell must not redirect calls that are meant for the local cloud."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


if __name__ == "__main__":
    sys.exit(main())
