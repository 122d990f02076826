"""The shipped template, deployed once for all tests of this folder, and a search for leaks after each of them."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.songs import CANARIES, TOKEN
from tests.local.cloud import Cloud
from tests.local.intake import SHORT_WAITS, Intake
from tests.local.music_vendor import MusicVendor

# No song is looked at, and the music API tells nothing by itself, within any test that has these.
SUBMITTING_ALONE = {**SHORT_WAITS, "Webhook": "off", "FirstCheckSeconds": "900"}


@pytest.fixture(scope="session")
def stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Patient: a message may wait through many tries, as in production."""
    return Intake.deployed(cloud, "song-intake", vendor.origin, TOKEN, {**SUBMITTING_ALONE, "MaxReceiveCount": "60"})


@pytest.fixture(scope="session")
def impatient_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """The second receive is the last try."""
    return Intake.deployed(cloud, "impatient", vendor.origin, TOKEN, {**SUBMITTING_ALONE, "MaxReceiveCount": "5"})


@pytest.fixture
def intake(stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(stack, vendor)


@pytest.fixture
def impatient(impatient_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(impatient_stack, vendor)


def _clean(intake: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    vendor.accept_connections()
    vendor.tokens.clear()
    vendor.tokens.add(TOKEN)
    intake.clear()
    yield intake
    found = leaks(intake)
    assert not found, f"canaries leaked: {found}"


def leaks(intake: Intake) -> list[str]:
    """Where a canary occurs outside of a message's body: log and metrics, rows, dead letters' attributes."""
    places = {
        "log": intake.log(),
        "table": repr(intake.rows()),
        "attributes": repr([letter.attributes for letter in intake.letters()]),
        "attributes of checks": repr([letter.attributes for letter in intake.letters("CheckDeadLetterQueueUrl")]),
    }
    return [f"{canary} in {place}" for place, text in places.items() for canary in CANARIES if canary in text]
