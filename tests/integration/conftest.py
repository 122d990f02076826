"""The bench and the fixtures around it: clients, certificate authorities, and a clock to advance."""

import ssl
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import trustme

from song_intake.music_api.client import MusicApi
from song_intake.work.batch import Batch
from song_intake.work.submission import Submission
from tests.integration.bench import Bench, new_id
from tests.local.cloud.cloud import Cloud
from tests.local.vendor.music_vendor import MusicVendor

AN_HOUR = 3600.0

TimePasses = Callable[[float], None]
"""Advances the clock by these seconds."""


@pytest.fixture
def bench(cloud: Cloud, vendor: MusicVendor) -> Iterator[Bench]:
    bench = Bench(cloud, vendor)
    yield bench
    # pytest shows this where the test failed: the lines name the reason of each decision.
    sys.stdout.write(bench.log.getvalue())


@pytest.fixture(scope="module")
def shared_bench(cloud: Cloud, music_vendor: MusicVendor) -> Bench:
    """One bench for all tests of a module in which no two requests share an id."""
    return Bench(cloud, music_vendor)


@pytest.fixture
def submission(bench: Bench) -> Submission:
    return bench.submission()


@pytest.fixture
def request_id() -> str:
    return new_id("request")


@pytest.fixture
def an_hour_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def pass_() -> None:
        later = time.time() + AN_HOUR
        monkeypatch.setattr(time, "time", lambda: later)

    return pass_


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> TimePasses:
    def pass_(seconds: float) -> None:
        later = time.time() + seconds
        monkeypatch.setattr(time, "time", lambda: later)

    return pass_


@pytest.fixture(scope="module")
def tls(music_vendor: MusicVendor) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=music_vendor.ca_bundle)


@pytest.fixture
def api(vendor: MusicVendor, tls: ssl.SSLContext) -> MusicApi:
    return MusicApi(vendor.origin, tls, connect_timeout=2, deadline=2)


@pytest.fixture(scope="module")
def own_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_server(own_authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    def context_for(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own_authority.issue_cert(name).configure_cert(context)
        return context

    return context_for


@pytest.fixture
def batch(bench: Bench) -> Batch:
    return bench.batch()
