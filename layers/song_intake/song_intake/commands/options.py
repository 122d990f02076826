"""The values of the commands' options, as operators type them. `make` leaves out what was not typed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import NoReturn, TypeVar

import click

from song_intake.contract.request_id import as_request_id
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status

_Value = TypeVar("_Value")


class _Parsed(click.ParamType[_Value]):
    """A type whose values are read by `parse`, which raises ValueError. `wanted`: what to type instead."""

    wanted: str

    def wanted_for(self, typed: str) -> str:  # noqa: ARG002 - for others
        """What to type instead of this."""
        return self.wanted

    def parse(self, typed: str) -> _Value:
        raise NotImplementedError

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> _Value:
        """The value of the option. Ends the program with a usage error."""
        try:
            return self.parse(str(value))
        except (ValueError, OverflowError):
            self._refuse(str(value), param, ctx)

    def _refuse(self, typed: str, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        self.fail(f"use {self.wanted_for(typed)}, not {typed!r}", param, ctx)


class Moment(_Parsed[float]):
    """Seconds since 1970, typed so or as RFC 3339 in UTC."""

    name = "time"
    wanted = "a time in UTC such as 2026-07-01T09:30:00Z, or seconds since 1970"

    def parse(self, typed: str) -> float:
        try:
            seconds = float(typed)
        except ValueError:
            at = datetime.fromisoformat(typed)
            if at.utcoffset() != timedelta(0):
                raise ValueError("the time is not in UTC") from None
            seconds = at.timestamp()
        datetime.fromtimestamp(seconds, UTC)
        return seconds


class Day(_Parsed[str]):
    """A UTC day."""

    name = "day"
    wanted = "a day such as 2026-07-01"

    def parse(self, typed: str) -> str:
        return date.fromisoformat(typed).isoformat()


class RequestId(_Parsed[str]):
    """The id of a request."""

    name = "id"
    wanted = "1 to 128 of the characters A-Z a-z 0-9 . _ : -"

    def parse(self, typed: str) -> str:
        if as_request_id(typed) is None:
            raise ValueError("not an id")
        return typed


class Count(_Parsed[int]):
    """A whole number above 0."""

    name = "count"
    wanted = "a whole number above 0"

    def parse(self, typed: str) -> int:
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) > 0):
            raise ValueError("not a count")
        return int(typed)


class Hours(_Parsed[float]):
    """A number of hours of 0 or more."""

    name = "hours"
    wanted = "a number of hours"

    def parse(self, typed: str) -> float:
        found = float(typed)
        if not (math.isfinite(found) and found >= 0):
            raise ValueError("not a time span")
        return found


class ReasonCode(_Parsed[Reason]):
    """A reason code of a row or a dead letter, in any case."""

    name = "code"

    def parse(self, typed: str) -> Reason:
        return Reason(typed.upper())

    def wanted_for(self, typed: str) -> str:
        (nearest,) = get_close_matches(typed.upper(), [*Reason], n=1) or [Reason.OUTCOME_UNKNOWN]
        return f"a reason code such as {nearest}"


class StatusName(_Parsed[Status]):
    """A status of a request, in any case."""

    name = "status"
    wanted = ", ".join(Status)

    def parse(self, typed: str) -> Status:
        return Status(typed.upper())


def shown_moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
