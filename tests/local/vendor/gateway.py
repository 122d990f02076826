"""A front end before the stand-in, which answers in its place for a while with HTML pages."""

import math
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from tests.local.vendor.answer import Answer, gateway_page


class Route(StrEnum):
    """The purpose of a request."""

    CREATE = "create"
    POLL = "poll"
    CREDITS = "credits"
    OTHER = "other"


@dataclass(slots=True)
class _Outage:
    """A page, its route (None: all routes), and how often and until when it is the answer."""

    page: Answer
    route: Route | None
    answers_left: float
    until: float

    def covers(self, route: Route) -> bool:
        return self.route in {None, route} and self.answers_left > 0 and time.monotonic() < self.until


class Gateway:
    """The current outages. The first one that covers a route answers its requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outages: list[_Outage] = []

    def show(self, status: int, route: Route | None, answers: int | None, seconds: float | None) -> None:
        until = math.inf if seconds is None else time.monotonic() + seconds
        with self._lock:
            self._outages.append(_Outage(gateway_page(status), route, math.inf if answers is None else answers, until))

    def clear(self) -> None:
        with self._lock:
            self._outages.clear()

    def answer(self, route: Route) -> Answer | None:
        """The page that a request for this route gets, or None if it reaches the vendor."""
        with self._lock:
            outage = next((one for one in self._outages if one.covers(route)), None)
            if outage is None:
                return None
            outage.answers_left -= 1
            return outage.page
