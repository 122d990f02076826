"""Retry-After of a 429: either form, capped, and never an error."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from song_intake.music_api.answer import LONGEST_RETRY_AFTER_SECONDS, Answer
from song_intake.music_api.create import outcome_of


def wait_for(header: str | None) -> float | None:
    outcome = outcome_of(Answer(429, b"{}", retry_after=header))
    assert isinstance(outcome, Retryable)
    assert outcome.reason is Reason.RATE_LIMITED
    return outcome.retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("3600", 3600),
        ("86400", 86400),
        ("86401", 86400),
        ("9" * 400, 86400),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86400),
    ],
)
def test_it_is_kept_in_either_form_up_to_a_day(header: str, seconds: float) -> None:
    assert wait_for(header) == seconds


def test_a_date_is_counted_from_now() -> None:
    wait = wait_for(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert wait is not None
    assert 30 < wait <= 60


@pytest.mark.parametrize(
    "header",
    [None, "", "soon", "-3", "nan", "inf", "²", "7, 7", "1e3", "1_0", "Wed, 21 Oct 2015 07:28:00 GMT"],
)
def test_one_that_makes_no_sense_is_ignored(header: str | None) -> None:
    assert wait_for(header) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_429(header: str) -> None:
    wait = wait_for(header)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER_SECONDS
