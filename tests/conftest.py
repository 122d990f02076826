"""What every test may ask for: a clean environment, the stand-in of the music API, and the local cloud."""

import os
from collections.abc import Iterator

import pytest

from tests.local.cloud.cloud import Cloud
from tests.local.vendor.music_vendor import MusicVendor

TOKEN = "the-token"

# Variables of somebody's shell by which the SDK, OpenSSL, requests or Powertools would behave otherwise than in Lambda.
_PREFIXES = ("AWS_", "POWERTOOLS_", "SSL_CERT_", "LAMBDA_")
_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"}


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No test reaches an account, a proxy or an authority that the machine is set up for."""
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
    """One stand-in for all tests: a deployed stack knows its address. Each test finds it healthy, with no memory."""
    return music_vendor


@pytest.fixture(scope="session")
def cloud(
    clean_environment: None, music_vendor: MusicVendor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """One cloud for all tests, started by the first that needs it; its functions trust the stand-in."""
    trust = {"SSL_CERT_FILE": str(music_vendor.ca_bundle)}
    with Cloud(tmp_path_factory.mktemp("cloud"), extra_environment=trust) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _healthy_vendor(request: pytest.FixtureRequest) -> None:
    # Asked by name: a test without the stand-in must not start it, and one with a stand-in of its own keeps that.
    if "music_vendor" not in request.fixturenames:
        return
    vendor: MusicVendor = request.getfixturevalue("music_vendor")
    vendor.reset()
    vendor.accept_connections()
    vendor.tokens.clear()
    vendor.tokens.add(TOKEN)
