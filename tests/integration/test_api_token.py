"""The API token from a real secret of the local Secrets Manager."""

import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

import pytest

from song_intake.aws.secrets import FAILURE_SHARED_SECONDS
from song_intake.music_api.token import ApiToken, TokenUnavailable
from tests.local.cloud.cloud import Cloud

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")
FETCH = "before-call.secretsmanager.GetSecretValue"


@dataclass
class Secret:
    """One secret, and how often it was fetched."""

    client: "SecretsManagerClient"
    name: str = field(default_factory=lambda: f"token-{uuid.uuid4().hex}")
    fetches: int = 0

    def holds(self, text: str) -> None:
        self.client.put_secret_value(SecretId=self.name, SecretString=text)

    def delete(self) -> None:
        self.client.delete_secret(SecretId=self.name, ForceDeleteWithoutRecovery=True)

    def count(self, **_: object) -> None:
        self.fetches += 1

    def token(self) -> ApiToken:
        return ApiToken(self.client, self.name)


@pytest.fixture
def secret(cloud: Cloud) -> Iterator[Secret]:
    secret = Secret(cloud.client("secretsmanager"))
    secret.client.create_secret(Name=secret.name, SecretString="first-token")
    secret.client.meta.events.register(FETCH, secret.count)
    yield secret
    secret.client.meta.events.unregister(FETCH, secret.count)
    with suppress(secret.client.exceptions.ResourceNotFoundException):
        secret.delete()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a-token", id="plain"),
        pytest.param("\n a-token \n", id="plain, pasted with white space"),
        pytest.param('{"api_token": "a-token"}', id="JSON"),
        pytest.param(' {"note": "x", "api_token": "a-token"}\n', id="JSON with more"),
    ],
)
def test_the_secret_may_be_the_token_or_json_with_it(secret: Secret, text: str) -> None:
    secret.holds(text)
    assert secret.token().current().value == "a-token"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ", id="blank"),
        pytest.param("{}", id="JSON without a token"),
        pytest.param('{"api_token": ""}', id="JSON, empty"),
        pytest.param('{"api_token": 17}', id="JSON, a number"),
        pytest.param('{"api_token": null}', id="JSON, null"),
        pytest.param('{"api_token": "canary', id="JSON, cut"),
        pytest.param('{"api_token": "canary\\r\\nX-Header: y"}', id="JSON, with a line break"),
        pytest.param("canary canary", id="with a space"),
        pytest.param("canary\nX-Header: y", id="with a line break"),
        pytest.param("canar\u00fd", id="beyond ASCII"),
        pytest.param("canary" * 700, id="too long"),
    ],
)
def test_a_secret_without_a_token_is_reported_without_its_text(secret: Secret, text: str) -> None:
    secret.holds(text)
    with pytest.raises(TokenUnavailable) as caught:
        secret.token().current()
    assert "holds no API token" in str(caught.value)
    assert "canar" not in "".join(traceback.format_exception(caught.value))


def test_a_binary_secret_holds_no_token(secret: Secret) -> None:
    secret.client.put_secret_value(SecretId=secret.name, SecretBinary=b"a-token")
    with pytest.raises(TokenUnavailable):
        secret.token().current()


def test_a_missing_secret_is_reported_by_its_error_code(secret: Secret) -> None:
    with pytest.raises(TokenUnavailable, match="ResourceNotFoundException"):
        ApiToken(secret.client, "no-such-secret").current()


def test_a_failure_is_shared_for_a_moment_and_then_the_secret_is_fetched_again(
    secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.holds("{}")
    token = secret.token()
    for _ in range(3):
        with pytest.raises(TokenUnavailable):
            token.current()
    assert secret.fetches == 1
    secret.holds("a-token")
    later = time.time() + FAILURE_SHARED_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    assert token.current().value == "a-token"


def test_requests_that_keep_asking_do_not_put_the_next_fetch_off(
    secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.holds("{}")
    token, began = secret.token(), time.time()
    for step in range(5):
        now = began + step * 0.6 * FAILURE_SHARED_SECONDS
        monkeypatch.setattr(time, "time", lambda now=now: now)
        with pytest.raises(TokenUnavailable) as failure:
            token.current()
        assert failure.value.is_repeat is (step % 2 == 1)
    assert secret.fetches == 3


def test_many_threads_need_one_fetch(secret: Secret) -> None:
    token = secret.token()
    assert {found.value for found in _at_once(token.current)} == {"first-token"}
    assert secret.fetches == 1


def test_a_cached_token_is_not_fetched_again(secret: Secret) -> None:
    token = secret.token()
    assert token.current() is token.current()
    assert secret.fetches == 1


def test_many_threads_with_one_rejected_token_need_one_fetch_of_the_next(secret: Secret) -> None:
    token = secret.token()
    refused = token.current()
    secret.holds("second-token")
    fresh = set(_at_once(lambda: token.refresh(refused)))
    assert {(found.value, found.generation) for found in fresh} == {("second-token", refused.generation + 1)}
    assert secret.fetches == 2
    assert token.current().value == "second-token"


def test_each_rejected_generation_causes_a_fetch(secret: Secret) -> None:
    token = secret.token()
    second = token.refresh(token.current())
    third = token.refresh(second)
    assert (second.generation, third.generation, secret.fetches) == (2, 3, 3)


def test_a_token_rejected_late_gets_the_cached_newer_one(secret: Secret) -> None:
    token = secret.token()
    old = token.current()
    new = token.refresh(old)
    assert token.refresh(old) is new
    assert secret.fetches == 2


@pytest.mark.parametrize("lost", [Secret.delete, lambda secret: secret.holds("{}")], ids=["deleted", "garbled"])
def test_the_old_token_is_kept_while_no_other_is_available(secret: Secret, lost: Callable[[Secret], None]) -> None:
    token = secret.token()
    old = token.current()
    lost(secret)
    assert token.refresh(old) is old
    assert token.current() is old


def test_no_repr_shows_the_token(secret: Secret) -> None:
    token = secret.token()
    assert "first-token" not in repr((token.current(), token))


def _at_once(act: Callable[[], T], count: int = 10) -> list[T]:
    barrier = Barrier(count)

    def run(_: int) -> T:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
