"""The bench on moto, with the clients that the functions ship with."""

import ssl
import sys
import time
from collections.abc import Callable, Iterator
from typing import get_args

import pytest

from song_intake.aws.clients import AwsClients, Service
from tests.integration.bench import Bench, new_id
from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION
from tests.local.vendor.music_vendor import MusicVendor
from tests.second_judge.moto_account import MotoAccount

TimePasses = Callable[[float], None]
"""Advances the clock by these seconds."""

# Seconds for three AWS calls: no call fails because the machine is slow.
PLENTY = 60.0


@pytest.fixture(scope="session")
def moto(clean_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoAccount]:
    with MotoAccount(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture(scope="session")
def shipped(moto: MotoAccount) -> AwsClients:
    """The clients of a deployed function, on their own transport. They read the environment when they are created."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", moto.endpoint_url)
        patch.setenv("AWS_ACCESS_KEY_ID", ADMINISTRATOR)
        patch.setenv("AWS_SECRET_ACCESS_KEY", ADMINISTRATOR)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        clients = AwsClients(ssl.create_default_context(cafile=moto.ca_bundle), PLENTY, connections=10)
        for service in get_args(Service):
            clients.client(service)
    return clients


@pytest.fixture
def bench(moto: MotoAccount, shipped: AwsClients, vendor: MusicVendor) -> Iterator[Bench]:
    bench = Bench(moto, vendor, functions=shipped)
    yield bench
    # pytest shows this where the test failed: the lines name the reason of each decision.
    sys.stdout.write(bench.log.getvalue())


@pytest.fixture
def request_id() -> str:
    return new_id("request")


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> TimePasses:
    def pass_(seconds: float) -> None:
        later = time.time() + seconds
        monkeypatch.setattr(time, "time", lambda: later)

    return pass_
