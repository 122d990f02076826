"""Fixtures for every test: a clean environment, the simulated music API, and the local cloud."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.local.cloud.cloud import Cloud
from tests.local.vendor.music_vendor import MusicVendor

TOKEN = "the-token"

# In a fresh clone Hypothesis first computes its table of Unicode, which takes seconds under coverage: no test is slow
# because of it. pytest-timeout limits a test that is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Modules and collected tests stay. To scan them again and again would cost a tenth of a simulation."""
    gc.collect()
    gc.freeze()


# Variables of a developer's shell that make the SDK, OpenSSL, requests or Powertools behave differently from Lambda.
_PREFIXES = ("AWS_", "POWERTOOLS_", "SSL_CERT_", "LAMBDA_")
_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"}


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No test uses an account, a proxy or a certificate authority that the machine is configured for."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_PREFIXES) or name.upper() in _NAMES:
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def music_vendor(clean_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path_factory.mktemp("vendor"), tokens={TOKEN}) as vendor:
        yield vendor


@pytest.fixture(scope="session")
def vendor(music_vendor: MusicVendor) -> MusicVendor:
    """One simulated vendor for all tests, since a deployed stack has its address. It is reset before each test."""
    return music_vendor


@pytest.fixture(scope="session")
def cloud(
    clean_environment: None, music_vendor: MusicVendor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """One cloud for all tests, started by the first that needs it; its functions trust the simulated vendor."""
    trust = {"SSL_CERT_FILE": str(music_vendor.ca_bundle)}
    with Cloud(tmp_path_factory.mktemp("cloud"), extra_environment=trust) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _healthy_vendor(request: pytest.FixtureRequest) -> None:
    # Requested by name: a test without the vendor must not start it, and a test with its own vendor keeps that.
    if "music_vendor" not in request.fixturenames:
        return
    vendor: MusicVendor = request.getfixturevalue("music_vendor")
    vendor.reset()
    vendor.accept_connections()
    vendor.tokens.clear()
    vendor.tokens.add(TOKEN)
