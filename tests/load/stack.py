"""A stack in a local cloud of its own, and a sender that keeps its queue full."""

import itertools
import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.received import visible
from tests.local.intake import MOST_ENTRIES, Intake
from tests.local.intake_switching import never_pause, remove_balance_checks
from tests.local.run.stages import PARAMETERS
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for
from tests.local.webhooks.transport import local_cloud

STACK: Final = "load"
TOKEN: Final = "a-token-for-this-load"
# At the full rate: creates are not paced. A killed function takes receives, so there are many.
UNPACED: Final = {**PARAMETERS, "KeepRecordings": "off", "MaxReceiveCount": "60"}
SECONDS_TO_END: Final = 600.0
_MOST_WAITING: Final = 100
"""Visible messages on the queue, or webhooks at the vendor. With fewer, a function would wait for work."""
_WEBHOOKS_AT_ONCE: Final = 8
"""Each one at a time has a function process, and to start one takes half a second of a processor. Without a limit, the
webhooks that wait meanwhile would start further processes, and nothing else would be done."""
_BATCHES: Final = 5


@contextmanager
def up(parameters: Mapping[str, str] = UNPACED) -> Iterator[tuple[Intake, MusicVendor, "Sender"]]:
    """The stack, its simulated vendor and its sender. Doubts and account faults do not pause it."""
    turns = _Turns(_WEBHOOKS_AT_ONCE)
    with (
        tempfile.TemporaryDirectory(prefix="load-") as name,
        MusicVendor(Path(name), tokens=[TOKEN]) as vendor,
        Cloud(Path(name), vendor.trust) as cloud,
    ):
        vendor.webhook_transport = local_cloud(cloud.port, cloud.ca_bundle)
        vendor.webhook_turn = turns
        intake = Intake.deployed(cloud, STACK, vendor.origin, TOKEN, parameters)
        never_pause(intake)
        remove_balance_checks(intake)
        yield intake, vendor, Sender(intake, turns)


class _Turns:
    """Lets so many webhooks be under way at once, and counts those that wait."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self.waiting = 0

    def __enter__(self) -> None:
        self._count(1)
        self._free.acquire()
        self._count(-1)

    def __exit__(self, *_: object) -> None:
        self._free.release()

    def _count(self, more: int) -> None:
        with self._lock:
            self.waiting += more


class Sender:
    """Sends requests within its context, as many as the stack takes. The title of a request is its request_id.

    Messages that wait for a lease or a webhook do not count: with many of these, a function still has work.
    """

    def __init__(self, intake: Intake, turns: _Turns) -> None:
        self.request_ids: list[str] = []
        self.error: BaseException | None = None
        self._intake = intake
        self._turns = turns
        self._sqs = intake.cloud.client("sqs")
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self.error is not None and error is None:
            raise self.error

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                if self._has_enough():
                    self._over.wait(0.05)
                else:
                    self._send()
        except BaseException as error:  # noqa: BLE001 - raised again where the sender is used
            self.error = error

    def _has_enough(self) -> bool:
        return visible(self._sqs, self._intake.queue_url) >= _MOST_WAITING or self._turns.waiting >= _MOST_WAITING

    def _send(self) -> None:
        ids = [f"load-{number:07}" for number in itertools.islice(self._numbers, _BATCHES * MOST_ENTRIES)]
        self._intake.send_all([json.dumps({"request_id": one, "title": one, "sound": "slow folk"}) for one in ids])
        self.request_ids += ids


def wait_for_the_end(intake: Intake, seconds: float = SECONDS_TO_END) -> None:
    """Until both queues are empty. Raises TimeoutError."""
    wait_for(lambda: intake.in_queue() == 0 and intake.checks() == 0, "every request to end", seconds)
