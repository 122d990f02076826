"""The values of the commands' options, as operators type them: `make` passes an empty text for what was not typed."""

from __future__ import annotations

import argparse
import math
from datetime import UTC, date, datetime, timedelta

from song_intake.contract.request_id import as_request_id
from song_intake.domain.reason import Reason


def add_flag(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add an option that is on as `--name` or `--name=1`, and off as `--name=`. Any other value is an error."""
    parser.add_argument(name, nargs="?", const=True, default=False, type=_flag, metavar="1", help=text)


def _flag(typed: str) -> bool:
    if typed not in ("", "1"):
        raise argparse.ArgumentTypeError(f"use 1 or no value, not {typed!r}")
    return typed == "1"


def moment(typed: str) -> float | None:
    """Seconds since 1970, typed so or as RFC 3339 in UTC; None if nothing was typed."""
    if not typed:
        return None
    try:
        return _seconds(typed)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"use a time in UTC such as 2026-07-01T09:30:00Z, or seconds since 1970, not {typed!r}"
        ) from None


def _seconds(typed: str) -> float:
    try:
        seconds = float(typed)
    except ValueError:
        at = datetime.fromisoformat(typed)
        if at.utcoffset() != timedelta(0):
            raise ValueError("the time is not in UTC") from None
        return at.timestamp()
    if not math.isfinite(seconds):
        raise ValueError("the time is not finite")
    return seconds


def shown_moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(typed: str) -> str | None:
    """A UTC day such as 2026-07-01; None if nothing was typed."""
    if not typed:
        return None
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"use a day such as 2026-07-01, not {typed!r}") from None


def request_id(typed: str) -> str | None:
    """The id of a request; None if nothing was typed."""
    if typed and as_request_id(typed) is None:
        raise argparse.ArgumentTypeError(f"use 1 to 128 of the characters A-Z a-z 0-9 . _ : -, not {typed!r}")
    return typed or None


def count(typed: str) -> int | None:
    """A whole number above 0; None if nothing was typed."""
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) > 0):
        raise argparse.ArgumentTypeError(f"use a whole number above 0, not {typed!r}")
    return int(typed)


def hours(typed: str) -> float | None:
    """A number of hours of 0 or more; None if nothing was typed."""
    if not typed:
        return None
    try:
        found = float(typed)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise argparse.ArgumentTypeError(f"use a number of hours, not {typed!r}")
    return found


def reason_code(typed: str) -> Reason | None:
    """A reason code of a row; None if nothing was typed."""
    if not typed:
        return None
    try:
        return Reason(typed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"use a reason code such as {Reason.OUTCOME_UNKNOWN}, not {typed!r}") from None
