"""The parts that several functions build in the same way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.events import EventPublisher
from song_intake.outgoing.notifier import Notifier

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.contract.proof import Proofs
    from song_intake.outgoing.telemetry import Telemetry


def notifier(aws: Clients, bus_name: str, telemetry: Telemetry) -> Notifier:
    """A notifier that publishes on this bus, and reports what was dropped or refused."""
    refused = telemetry.notification_refused
    publisher = EventPublisher(aws.client("events"), bus_name, partial(refused, "event"))
    callback = TaskCallback(
        lambda: aws.client("stepfunctions"), telemetry.callback_dropped, partial(refused, "callback")
    )
    return Notifier(publisher, callback)


def dead_letters(aws: Clients, queue_url: str, proofs: Proofs, telemetry: Telemetry) -> DeadLetters:
    """Dead letters for this queue. A letter that is refused is reported."""
    return DeadLetters(aws.client("sqs"), queue_url, proofs, partial(telemetry.notification_refused, "dead_letter"))
