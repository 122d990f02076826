"""The part that several functions build in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.events import EventPublisher
from song_intake.outgoing.notifier import Notifier

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


def notifier(aws: Clients, bus_name: str, telemetry: Telemetry) -> Notifier:
    """A notifier that publishes on this bus, and logs a dropped callback."""
    publisher = EventPublisher(aws.client("events"), bus_name)
    return Notifier(publisher, TaskCallback(aws.client("stepfunctions"), telemetry.callback_dropped))
