"""The shipped template, deployed once for all tests of this folder, and a search for leaks after each test."""

import time
from collections.abc import Iterator, Mapping

import pytest

from tests.end_to_end.songs import CANARIES, TOKEN, new_id
from tests.local.cloud.aws_clients import REGION
from tests.local.cloud.cloud import Cloud
from tests.local.cloud.event_listener import EventListener
from tests.local.contract import errors_in, errors_in_rows
from tests.local.intake import KEEPING, SHORT_WAITS, Intake
from tests.local.intake_switching import never_pause, remove_balance_checks
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.webhooks.transport import local_cloud

ACCOUNT = "000000000000"
OTHER_ACCOUNT = "111122223333"
A_CLOCK_DIFFERS = 1.0  # seconds, at most: the functions run on this machine

# With these, no song is polled and no webhook comes within any test.
ONLY_SUBMITTING = {**SHORT_WAITS, "Webhook": "off", "FirstCheckSeconds": "900"}

# No service of the local cloud encrypts with it: this shows that the stack can be created with a key, and works.
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

# The topics, the rule and the role that test_examples.py deploys.
LISTED_SENDERS = {
    "SenderTopicArns": ",".join(f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in ("songs-wanted", "songs-raw")),
    "SenderRuleArns": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/songs-wanted",
    "SenderPrincipals": f"arn:aws:iam::{OTHER_ACCOUNT}:role/song-sender",
}


_deployed: list[Intake] = []


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_tracked_afterwards() -> Iterator[None]:
    """A stack that still polled its songs would disturb the tests of other folders, which share the stand-in."""
    yield
    for intake in _deployed:
        intake.clear()


@pytest.fixture(scope="session")
def stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """A message may be received many times, as in production."""
    return _never_paused(cloud, vendor, "song-intake", {**ONLY_SUBMITTING, "MaxReceiveCount": "60"})


@pytest.fixture(scope="session")
def impatient_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """The second receive of a message is the final attempt. A key of the user encrypts the stack."""
    return _never_paused(cloud, vendor, "impatient", {**ONLY_SUBMITTING, "MaxReceiveCount": "5", "KmsKeyArn": KEY})


@pytest.fixture(scope="session")
def tracking_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Polls its songs every second, and receives webhooks. The senders of the examples may send."""
    parameters = {**SHORT_WAITS, **KEEPING, **LISTED_SENDERS, "MaxReceiveCount": "60"}
    return _never_paused(cloud, vendor, "tracking", parameters)


@pytest.fixture(scope="session")
def webhook_stack(cloud: Cloud, vendor: MusicVendor) -> Intake:
    """Polls a song only after its webhook."""
    waits = {**SHORT_WAITS, "MaxReceiveCount": "60", "FirstCheckSeconds": "900", "ResolutionWindowSeconds": "12"}
    return _never_paused(cloud, vendor, "webhook-only", waits)


@pytest.fixture(scope="session")
def tracking_listener(tracking_stack: Intake) -> EventListener:
    return EventListener(tracking_stack)


@pytest.fixture(scope="session")
def webhook_listener(webhook_stack: Intake) -> EventListener:
    return EventListener(webhook_stack)


@pytest.fixture
def unpaid(cloud: Cloud, vendor: MusicVendor) -> Iterator[Intake]:
    """Just deployed, without a token. Shared faults pause it, and its test makes the balance checks itself."""
    intake = Intake.deployed(cloud, new_id("unpaid"), vendor.origin, None, {**ONLY_SUBMITTING, "MaxReceiveCount": "60"})
    remove_balance_checks(intake)
    yield from _clean(intake, vendor)


@pytest.fixture
def tracking(tracking_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(tracking_stack, vendor)


@pytest.fixture
def by_webhook(webhook_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(webhook_stack, vendor)


@pytest.fixture
def intake(stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(stack, vendor)


@pytest.fixture
def impatient(impatient_stack: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    yield from _clean(impatient_stack, vendor)


def _never_paused(cloud: Cloud, vendor: MusicVendor, name: str, parameters: Mapping[str, str]) -> Intake:
    """Tests plan account faults for single requests, which must not pause the others."""
    intake = Intake.deployed(cloud, name, vendor.origin, TOKEN, parameters)
    never_pause(intake)
    remove_balance_checks(intake)
    _deployed.append(intake)
    return intake


def _clean(intake: Intake, vendor: MusicVendor) -> Iterator[Intake]:
    vendor.accept_connections()
    vendor.webhook_transport = local_cloud(intake.cloud.port, intake.cloud.ca_bundle)
    vendor.tokens.clear()
    vendor.tokens.add(TOKEN)
    intake.clear()
    began = time.time()
    yield intake
    found = leaks(intake, since=began - A_CLOCK_DIFFERS)
    assert not found, f"canaries leaked: {found}"
    assert breaches(intake) == []


def breaches(intake: Intake) -> list[str]:
    """What of the rows and of the stack's own dead letters is not as their published schemas say."""
    sent = [letter.attributes for letter in intake.letters() if "proof" in letter.attributes]
    of_letters = [error for attributes in sent for error in errors_in("dead_letter_attributes", attributes)]
    return errors_in_rows(intake.items()) + of_letters


def leaks(intake: Intake, since: float = 0) -> list[str]:
    """The places outside of message bodies that contain a canary: logs, metrics, rows, attributes of dead letters."""
    places = {
        "log": intake.log(since),
        "table": repr(intake.rows()),
        "attributes": repr([letter.attributes for letter in intake.letters()]),
        "attributes of checks": repr([letter.attributes for letter in intake.letters("CheckDeadLetterQueueUrl")]),
    }
    return [f"{canary} in {place}" for place, text in places.items() for canary in CANARIES if canary in text]
