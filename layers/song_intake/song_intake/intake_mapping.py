"""The event source mapping that feeds the requests to submit_song: off, it leaves them on their queue, unreceived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.intake_position import Position

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
_THERE = {Position.ON: frozenset(("Enabled", "Enabling")), Position.OFF: frozenset(("Disabled", "Disabling"))}


class NotSwitched(Exception):
    """Lambda did not take it. Also while the mapping is still changing (ResourceInUseException): try again."""


class IntakeMapping:
    def __init__(self, functions: LambdaClient, uuid: str) -> None:
        self._functions = functions
        self._uuid = uuid

    def state(self) -> str:
        """Lambda's word for it. Raises NotSwitched."""
        try:
            return self._functions.get_event_source_mapping(UUID=self._uuid)["State"]
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None

    def switch(self, position: Position) -> None:
        """Raises NotSwitched. On its way there counts as there."""
        if self.state() in _THERE[position]:
            return
        try:
            self._functions.update_event_source_mapping(UUID=self._uuid, Enabled=position is Position.ON)
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None


def is_paused(state: str) -> bool:
    """Whether a mapping in this state feeds nothing, or soon will feed nothing."""
    return state in _THERE[Position.OFF]
