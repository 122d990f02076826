"""The process behind `Cloud`: ministack with the rules of AWS mended that this project relies on.

ministack is a young emulator, pinned to one release; where it is kinder or harsher than AWS, a test that passes here
would prove nothing there. Each mend names the rule it restores, and a test beside this file checks it.

Run by `Cloud` as `python -m tests.local.cloud.ministack_server`, configured by environment variables alone.
"""

import os
import signal
import sys
import threading

from ministack import app

from tests.local.cloud import (
    ministack_alarms,
    ministack_freezing,
    ministack_functions,
    ministack_mapping,
    ministack_permissions,
    ministack_poller,
    ministack_polls,
    ministack_queues,
    ministack_redrive,
    ministack_stacks,
    ministack_switching,
)


def main() -> None:
    ministack_queues.mend()
    ministack_polls.mend()
    ministack_redrive.mend()
    ministack_functions.mend()
    ministack_freezing.mend()
    ministack_mapping.mend()
    ministack_poller.mend()
    ministack_switching.mend()
    ministack_stacks.mend()
    ministack_permissions.mend()
    ministack_alarms.mend()
    ministack_queues.take_turns()
    _stay_off_port_443()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    app.main()


def _stay_off_port_443() -> None:
    """With TLS on, ministack also takes port 443 where it may (as root, in a container). Nobody asked it to."""
    app._port_is_bindable = lambda _host, _port: False


def _end_with_the_parent() -> None:
    """Ends the whole process group once the parent is gone, however it went.

    The parent holds the other end of our stdin. A killed test run cannot clean up, but the system closes its pipe.
    """
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
