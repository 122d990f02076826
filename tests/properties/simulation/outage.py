"""An outage of the account, in memory: many messages, the real functions, and days simulated in seconds.

Simulated: the queue, the table, the music API, the bus, and Lambda's event source mapping. The mapping takes a minute
to change its state, as it may on AWS, and rejects other changes in that time.
"""

import heapq
import itertools
import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from unittest import mock

from botocore.exceptions import ClientError

from song_intake.admission.switch import IntakeSwitch, NotSwitched
from song_intake.app.submit import submit_song
from song_intake.app.switch import SwitchSettings, switch_intake
from song_intake.aws import group_commit
from song_intake.contract.sqs_message import MessageAttribute, SqsRecord
from song_intake.outgoing.events import ACCOUNT_FAULT
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.batch import Batch
from tests.properties.simulation.clients import SimulatedClients, SimulatedSecrets, submit_settings
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table
from tests.properties.simulation.outage_ends import Faultless, OneItem, OutageApi, OutageVendor, Uncounted
from tests.properties.simulation.queues import DEAD_LETTERS_URL, REQUESTS_URL, VISIBILITY_SECONDS
from tests.properties.simulation.vendor import SECRET_ID

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

# The defaults of the template.
ENVIRONMENTS: Final = 5
BATCH_SIZE: Final = 10
FINAL_RECEIVE: Final = 12
MAX_RECEIVE_COUNT: Final = 15
CHECK_EVERY: Final = 60.0
LONGEST_RUN: Final = 20 * 86_400.0

SECONDS_TO_SWITCH: Final = 60.0
RETRIES_OF_AN_EVENT: Final = (60.0, 120.0)

_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Queued:
    number: int
    body: str
    receives: int = 0
    visible_at: float = 0.0
    attributes: Mapping[str, MessageAttribute] = field(default_factory=dict)

    def record(self) -> SqsRecord:
        return {
            "messageId": f"message-{self.number}",
            "receiptHandle": str(self.number),
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "messageAttributes": dict(self.attributes),
        }


class Outage:
    """The stack on one clock. `run` ends when the queue is empty, or when the messages expire."""

    def __init__(self, messages: int) -> None:
        self.now = self.began = 1_700_000_000.0
        self.vendor = OutageVendor()
        self.dead_letters: list[str] = []
        self.switched: list[tuple[float, bool]] = []
        self.messages = [
            Queued(n, json.dumps({"request_id": f"r-{n}", "title": f"r-{n}", "sound": "simulated"}))
            for n in range(messages)
        ]
        self._waiting = deque(self.messages)
        self._hidden: list[tuple[float, int]] = []
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._is_on, self._switching_until = True, 0.0
        self._dynamodb = SimulatedDynamoDb(Faultless(), Table())
        self._switch = self._new_switch()
        self._environments = [self._new_batch() for _ in range(ENVIRONMENTS)]
        self.at(0, self._every_check)

    def at(self, seconds: float, what: Callable[[], object]) -> None:
        """Schedule a call, in seconds after the start."""
        heapq.heappush(self._events, (self.began + seconds, next(self._order), what))

    def run(self) -> None:
        with self._clock():
            while (self._waiting or self._hidden) and self.now < self.began + LONGEST_RUN:
                self._run_due_events()
                # One round of deliveries takes a second, like a create.
                self.now = self.now + 1 if self._deliver() else max(self.now + 1, self._next())

    # The Lambda client of IntakeMapping.

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803
        stem = "Enabl" if self._is_on else "Disabl"
        return {"State": stem + ("ing" if self.now < self._switching_until else "ed")}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        if self.now < self._switching_until:
            error: Any = {"Error": {"Code": "ResourceInUseException", "Message": "simulated"}}
            raise ClientError(error, "UpdateEventSourceMapping")
        self._is_on, self._switching_until = Enabled, self.now + SECONDS_TO_SWITCH
        self.switched.append((self.now - self.began, Enabled))

    # The other clients.

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:  # noqa: N803
        for entry in Entries:
            if entry["DetailType"] == ACCOUNT_FAULT:
                time = datetime.fromtimestamp(int(self.now), UTC).isoformat()
                event = {"detail-type": ACCOUNT_FAULT, "time": time, "detail": json.loads(entry["Detail"])}
                self.at(self.now + 1 - self.began, partial(self._invoke, event, RETRIES_OF_AN_EVENT))
        return {"FailedEntryCount": 0}

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageAttributes: Mapping[str, Mapping[str, str]],  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> None:
        if QueueUrl == DEAD_LETTERS_URL:
            self.dead_letters.append(json.loads(MessageBody)["request_id"])
            return
        assert QueueUrl == REQUESTS_URL
        attributes: Mapping[str, MessageAttribute] = {
            name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
            for name, value in MessageAttributes.items()
        }
        anew = Queued(len(self.messages), MessageBody, visible_at=self.now + DelaySeconds, attributes=attributes)
        self.messages.append(anew)
        heapq.heappush(self._hidden, (anew.visible_at, anew.number))

    def send_message_batch(self, **_: object) -> dict[str, object]:
        """The checks. Songs are not tracked here."""
        return {}

    def change_message_visibility_batch(self, *, Entries: Sequence[Mapping[str, Any]], **_: object) -> None:  # noqa: N803
        for entry in Entries:
            self.messages[int(entry["ReceiptHandle"])].visible_at = self.now + entry["VisibilityTimeout"]

    def _invoke(self, event: Mapping[str, object], retries: Sequence[float]) -> None:
        try:
            self._switch.handle(event)
        except NotSwitched:
            if retries:
                self.at(self.now + retries[0] - self.began, partial(self._invoke, event, retries[1:]))

    def _every_check(self) -> None:
        self._invoke({"intake": "check"}, RETRIES_OF_AN_EVENT)
        self.at(self.now + CHECK_EVERY - self.began, self._every_check)

    def _run_due_events(self) -> None:
        while self._events and self._events[0][0] <= self.now:
            heapq.heappop(self._events)[2]()
        while self._hidden and self._hidden[0][0] <= self.now:
            self._waiting.append(self.messages[heapq.heappop(self._hidden)[1]])

    def _delivers(self) -> bool:
        """Whether the pollers run: until the mapping is disabled, and again once it is enabled."""
        return self._is_on is (self.now >= self._switching_until)

    def _deliver(self) -> bool:
        """Deliver one batch to each environment. Returns whether there were messages."""
        has_worked = False
        for batch in self._environments if self._delivers() else ():
            received = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
            if received:
                has_worked = True
                self._handle(batch, received)
        return has_worked

    def _handle(self, batch: Batch, received: Sequence[Queued]) -> None:
        for message in received:
            message.receives += 1
            message.visible_at = self.now + VISIBILITY_SECONDS
        response = batch.handle([message.record() for message in received], lambda: 60.0)
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        for message in received:
            if f"message-{message.number}" in failed:
                heapq.heappush(self._hidden, (message.visible_at, message.number))

    def _next(self) -> float:
        """The time of the next event."""
        moments = [self._events[0][0]]
        if self._hidden and self._delivers():
            moments.append(self._hidden[0][0])
        if self.now < self._switching_until:
            moments.append(self._switching_until)
        return min(moments)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        with (
            mock.patch("time.time", self._time),
            mock.patch("time.monotonic", self._time),
            # Simulated services respond at once, so there are no other calls to wait for.
            mock.patch.multiple(group_commit, GATHER_SECONDS=0, PATIENCE_SECONDS=0),
        ):
            yield

    def _time(self) -> float:
        return self.now

    def _telemetry(self) -> Telemetry:
        return Telemetry(cast("Logger", _SILENT), cast("Metrics", Uncounted()))

    def _new_switch(self) -> IntakeSwitch:
        settings = SwitchSettings(
            music_api_origin="https://music.invalid",
            api_token_secret_arn=SECRET_ID,
            ledger_table="ledger",
            intake_mapping_uuid="the-mapping",
            connect_timeout=5,
            poll_deadline=10,
            ca_bundle=None,
        )
        secrets = SimulatedSecrets(Faultless())
        clients = SimulatedClients(dynamodb=OneItem(), secretsmanager=secrets, **{"lambda": self})
        return switch_intake(settings, clients, self._telemetry(), OutageApi(self.vendor))

    def _new_batch(self) -> Batch:
        secrets = SimulatedSecrets(Faultless())
        clients = SimulatedClients(dynamodb=self._dynamodb, sqs=self, events=self, secretsmanager=secrets)
        return submit_song(submit_settings(), clients, self._telemetry(), OutageApi(self.vendor))
