"""The request queue as SQS keeps it: receive counts, visibility, 10 days from the sent time, and its own redrive."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from song_intake.contract.sqs_message import MessageAttribute, SqsRecord

MAX_RECEIVE_COUNT: Final = 15
RETENTION_SECONDS: Final = 10 * 86_400.0
LONGEST_VISIBILITY_SECONDS: Final = 12 * 3600.0


@dataclass(slots=True)
class Queued:
    """Times are in seconds since 1970."""

    number: int
    body: str
    sent_at: float
    visible_at: float
    attributes: Mapping[str, MessageAttribute] = field(default_factory=dict)
    sender: str = ""
    """The SenderId."""
    receives: int = 0
    received_at: float = 0.0

    @property
    def message_id(self) -> str:
        return f"message-{self.number}"

    def record(self) -> SqsRecord:
        """The record in Lambda's event."""
        return {
            "messageId": self.message_id,
            "receiptHandle": str(self.number),
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "SentTimestamp": str(int(self.sent_at * 1000)),
                **({"SenderId": self.sender} if self.sender else {}),
            },
            "messageAttributes": dict(self.attributes),
        }


class RequestQueue:
    """visibility: seconds that a received message stays hidden."""

    def __init__(self, visibility: float) -> None:
        self._visibility = visibility
        self._messages: dict[int, Queued] = {}
        self._by_time: list[tuple[float, int]] = []
        """May hold outdated times: a message counts at its own `visible_at` only."""
        self._sent = 0
        self.moved: list[Queued] = []
        """Dead letters that SQS moved after the last receive, without a reason."""
        self.expired: list[Queued] = []
        self.receives = 0
        self.most_receives = 0
        """Of one message."""

    def __len__(self) -> int:
        return len(self._messages)

    def send(
        self,
        body: str,
        now: float,
        delay: float = 0.0,
        attributes: Mapping[str, MessageAttribute] | None = None,
        sender: str = "",
    ) -> None:
        message = Queued(self._sent, body, now, now + delay, attributes or {}, sender)
        self._messages[message.number] = message
        self._sent += 1
        heapq.heappush(self._by_time, (message.visible_at, message.number))

    def receive(self, most: int, now: float) -> list[Queued]:
        """Up to `most` visible messages. Those that expired, or have no receive left, leave the queue."""
        received: list[Queued] = []
        while len(received) < most and self.next_visible() <= now:
            message = self._messages[heapq.heappop(self._by_time)[1]]
            if now >= message.sent_at + RETENTION_SECONDS:
                self.expired.append(self._messages.pop(message.number))
            elif message.receives >= MAX_RECEIVE_COUNT:
                self.moved.append(self._messages.pop(message.number))
            else:
                message.receives += 1
                self.most_receives = max(self.most_receives, message.receives)
                message.received_at = now
                self._show_at(message, now + self._visibility)
                received.append(message)
        self.receives += len(received)
        return received

    def hidden(self, now: float) -> int:
        """How many received messages are not visible."""
        return sum(message.receives > 0 and message.visible_at > now for message in self._messages.values())

    def delete(self, message: Queued) -> None:
        self._messages.pop(message.number, None)

    def hide(self, receipt_handle: str, seconds: float, now: float) -> None:
        message = self._messages[int(receipt_handle)]
        assert seconds >= 0
        assert now + seconds <= message.received_at + LONGEST_VISIBILITY_SECONDS
        self._show_at(message, now + seconds)

    def next_visible(self) -> float:
        """When the next message is visible; infinity if there is none."""
        while self._by_time:
            at, number = self._by_time[0]
            if number in self._messages and self._messages[number].visible_at == at:
                return at
            heapq.heappop(self._by_time)
        return float("inf")

    def _show_at(self, message: Queued, at: float) -> None:
        message.visible_at = at
        heapq.heappush(self._by_time, (at, message.number))
