"""The shipped template, deployed once for all tests of this folder, and a search for leaks after each of them."""

from collections.abc import Iterator, Mapping

import pytest

from tests.end_to_end.songs import CANARIES, TOKEN
from tests.local.cloud.cloud import Cloud
from tests.local.cloud.event_listener import EventListener
from tests.local.intake import SHORT_WAITS, Intake
from tests.local.intake_switching import leave_it_on, without_looks
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.webhooks.transport import local_cloud

# No song is looked at, and the music API tells nothing by itself, within any test that has these.
SUBMITTING_ALONE = {**SHORT_WAITS, "Webhook": "off", "FirstCheckSeconds": "900"}


_deployed: list[Intake] = []


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_followed_any_more() -> Iterator[None]:
    """A stack that went on to look at its songs would disturb the tests of other folders: they share the stand-in."""
    yield
    for intake in _deployed:
        intake.clear()


@pytest.fixture(scope="session")
def stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Patient: a message may wait through many tries, as in production."""
    return _never_paused(cloud, vendor, "song-intake", {**SUBMITTING_ALONE, "MaxReceiveCount": "60"})


@pytest.fixture(scope="session")
def impatient_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """The second receive is the last try."""
    return _never_paused(cloud, vendor, "impatient", {**SUBMITTING_ALONE, "MaxReceiveCount": "5"})


@pytest.fixture(scope="session")
def following_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Looks at its songs every second, and is told of them by webhooks."""
    return _never_paused(cloud, vendor, "following", {**SHORT_WAITS, "MaxReceiveCount": "60"})


@pytest.fixture(scope="session")
def hearing_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Learns of a song's end by its webhook, or not within any test."""
    waits = {**SHORT_WAITS, "MaxReceiveCount": "60", "FirstCheckSeconds": "900", "ResolutionWindowSeconds": "8"}
    return _never_paused(cloud, vendor, "hearing", waits)


@pytest.fixture(scope="session")
def following_listener(following_stack: Intake) -> EventListener:
    return EventListener(following_stack)


@pytest.fixture(scope="session")
def hearing_listener(hearing_stack: Intake) -> EventListener:
    return EventListener(hearing_stack)


@pytest.fixture
def unpaid(cloud: Cloud, vendor: MusicVendor) -> Iterator[Intake]:
    """Just deployed, without a token. Pauses when the account is at fault, and its test is the schedule."""
    intake = Intake.deployed(cloud, "unpaid", vendor.origin, "", {**SUBMITTING_ALONE, "MaxReceiveCount": "60"})
    without_looks(intake)
    yield from _clean(intake, vendor)


@pytest.fixture
def following(following_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(following_stack, vendor)


@pytest.fixture
def hearing(hearing_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(hearing_stack, vendor)


@pytest.fixture
def intake(stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(stack, vendor)


@pytest.fixture
def impatient(impatient_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(impatient_stack, vendor)


def _never_paused(cloud: Cloud, vendor: MusicVendor, name: str, parameters: Mapping[str, str]) -> Intake:
    """Here faults of the account are planned for single requests, and the others are to go on."""
    intake = Intake.deployed(cloud, name, vendor.origin, TOKEN, parameters)
    leave_it_on(intake)
    without_looks(intake)
    _deployed.append(intake)
    return intake


def _clean(intake: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    vendor.accept_connections()
    vendor.webhook_transport = local_cloud(intake.cloud.port, intake.cloud.ca_bundle)
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
