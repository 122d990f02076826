"""Lambda's event source mapping: each change takes up to a minute, and Lambda rejects other changes meanwhile."""

import random
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

SECONDS_TO_CHANGE: Final = (15.0, 60.0)


class SlowMapping:
    """The Lambda client of switch_intake. later: calls a function after so many seconds."""

    def __init__(
        self,
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], None],
        on_change: Callable[[], None],
        chance: random.Random,
    ) -> None:
        self._now, self._later, self._on_change, self._random = now, later, on_change, chance
        self._is_on, self._until = True, 0.0
        self.changes: list[tuple[float, bool]] = []
        """When it was switched, and whether to on."""

    @property
    def state(self) -> str:
        return ("Enabl" if self._is_on else "Disabl") + ("ing" if self._now() < self._until else "ed")

    @property
    def delivers(self) -> bool:
        """Whether the pollers run: also while the mapping is still disabling."""
        return self.state in ("Enabled", "Disabling")

    def get_event_source_mapping(self, **_: object) -> dict[str, str]:
        return {"State": self.state}

    def update_event_source_mapping(self, *, Enabled: bool, **_: object) -> None:  # noqa: N803 - boto3's name
        if self._now() < self._until:
            error: Any = {"Error": {"Code": "ResourceInUseException", "Message": "simulated"}}
            raise ClientError(error, "UpdateEventSourceMapping")
        seconds = self._random.uniform(*SECONDS_TO_CHANGE)
        self._is_on, self._until = Enabled, self._now() + seconds
        self.changes.append((self._now(), Enabled))
        self._later(seconds, self._on_change)
