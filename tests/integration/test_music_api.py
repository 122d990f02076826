"""The music API's client against real servers: what can be known of a create is decided by its phase."""

import itertools
import ssl
import time
from typing import Literal

import pytest

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.music_api.client import CREATE_PATH, MusicApi
from song_intake.music_api.exchange import LARGEST_ANSWER_BYTES
from tests.conftest import TOKEN
from tests.integration.creating import BODY, LYRICS, TITLE, create
from tests.local.vendor import answer as said
from tests.local.vendor import behaviour
from tests.local.vendor.answer import Generation
from tests.local.vendor.behaviour import Behaviour
from tests.local.vendor.music_vendor import MusicVendor


@pytest.fixture
def hasty(vendor: MusicVendor, tls: ssl.SSLContext) -> MusicApi:
    return MusicApi(vendor.origin, tls, connect_timeout=2, deadline=0.3)


@pytest.mark.parametrize("generation", Generation)
def test_a_create_brings_the_task_id_in_either_generation(
    vendor: MusicVendor, api: MusicApi, generation: Generation
) -> None:
    vendor.generation = generation
    outcome = create(api)
    (made,) = vendor.creates
    assert outcome == Created(made.task_id)


def test_the_body_is_posted_byte_for_byte(vendor: MusicVendor, api: MusicApi) -> None:
    create(api)
    (request,) = vendor.requests
    assert (request.method, request.path, request.body) == ("POST", CREATE_PATH, BODY)
    assert request.headers["content-type"] == "application/json"


def test_the_token_travels_in_one_header_and_nowhere_else(vendor: MusicVendor, api: MusicApi) -> None:
    outcome = create(api)
    (request,) = vendor.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    others = {name: value for name, value in request.headers.items() if name != "authorization"}
    assert TOKEN not in repr((request.path, request.body, others, outcome, api))


PARTS: tuple[Literal["start", "head", "body"], ...] = ("start", "head", "body")
OUTCOMES = [
    pytest.param(behaviour.refuses(said.validation_error("no")), Refused, Reason.REFUSED, id="400"),
    pytest.param(behaviour.refuses(said.INSUFFICIENT_CREDITS), Retryable, Reason.NO_CREDITS, id="402"),
    pytest.param(behaviour.refuses(said.CREDITS_USED_UP), Retryable, Reason.NO_CREDITS, id="403 credits"),
    pytest.param(behaviour.refuses(said.NO_SUBSCRIPTION), Retryable, Reason.NO_CREDITS, id="403 subscription"),
    pytest.param(behaviour.refuses(said.LYRICS_REFUSED), Refused, Reason.REFUSED, id="403 lyrics"),
    pytest.param(behaviour.refuses(said.NOT_FOUND), Retryable, Reason.ENDPOINT_REFUSED, id="404"),
    pytest.param(behaviour.refuses(said.ENDPOINT_RETIRED), Retryable, Reason.ENDPOINT_REFUSED, id="410"),
    pytest.param(behaviour.answers(404, b"<html>", creates=False), Retryable, Reason.TURNED_AWAY, id="404, a page"),
    pytest.param(behaviour.answers(403, b"<html>", creates=False), Retryable, Reason.TURNED_AWAY, id="403, a page"),
    pytest.param(behaviour.answers(409, b"{}", creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="409"),
    pytest.param(behaviour.rate_limited(), Retryable, Reason.RATE_LIMITED, id="429"),
    pytest.param(behaviour.fails(said.INTERNAL_ERROR, creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="500"),
    pytest.param(behaviour.fails(said.UPSTREAM_FAILED, creates=False), Unknown, Reason.OUTCOME_UNKNOWN, id="502"),
    pytest.param(behaviour.fails(said.UPSTREAM_UNAVAILABLE, creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="503"),
    pytest.param(behaviour.fails(said.TIMEOUT, creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="504"),
    pytest.param(behaviour.html_page(creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="a page"),
    pytest.param(behaviour.no_task_id(creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="no task_id"),
    pytest.param(behaviour.invalid_json(creates=True), Unknown, Reason.OUTCOME_UNKNOWN, id="invalid JSON"),
    pytest.param(behaviour.huge_answer(), Unknown, Reason.OUTCOME_UNKNOWN, id="longer than the cap"),
    *(
        pytest.param(
            behaviour.cut(at, creates=creates, reset=reset),
            Unknown,
            Reason.OUTCOME_UNKNOWN,
            id=f"cut at {at}, {'reset' if reset else 'ended'}, {'made' if creates else 'not made'}",
        )
        for at, creates, reset in itertools.product(PARTS, (True, False), (True, False))
    ),
]


@pytest.mark.parametrize(("planned", "kind", "reason"), OUTCOMES)
def test_a_whole_answer_decides_and_anything_less_leaves_it_unknown(
    vendor: MusicVendor, api: MusicApi, planned: Behaviour, kind: type[Outcome], reason: Reason
) -> None:
    vendor.plan(TITLE, planned)
    outcome = create(api)
    assert not isinstance(outcome, Created)
    assert (type(outcome), outcome.reason) == (kind, reason)
    assert len(vendor.requests) == 1, "no retry of its own"
    assert LYRICS not in repr(outcome)


def test_an_answer_as_long_as_the_cap_is_read(vendor: MusicVendor, api: MusicApi) -> None:
    vendor.plan(TITLE, behaviour.huge_answer(LARGEST_ANSWER_BYTES - 200))
    assert isinstance(create(api), Created)


def test_a_token_that_the_api_does_not_know_is_refused_and_nothing_made(vendor: MusicVendor, api: MusicApi) -> None:
    outcome = create(api, token="another")
    assert isinstance(outcome, Retryable)
    assert outcome.reason is Reason.TOKEN_REFUSED
    assert vendor.creates == ()


def test_a_retry_after_is_read_from_the_answer(vendor: MusicVendor, api: MusicApi) -> None:
    vendor.plan(TITLE, behaviour.rate_limited("17"))
    outcome = create(api)
    assert isinstance(outcome, Retryable)
    assert outcome.retry_after == 17


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(behaviour.hang(creates=True), id="no answer"),
        pytest.param(behaviour.drip("head", 0.1), id="a head that drips"),
        pytest.param(behaviour.drip("body", 0.1), id="a body that drips"),
    ],
)
def test_a_create_ends_by_its_deadline_however_the_answer_comes(
    vendor: MusicVendor, hasty: MusicApi, slow: Behaviour
) -> None:
    """No single read of a dripping answer takes long; the whole would take more than the ten deadlines allowed here."""
    vendor.plan(TITLE, slow)
    began = time.monotonic()
    outcome = create(hasty)
    assert time.monotonic() - began < 10 * 0.3
    assert isinstance(outcome, Unknown)
    assert len(vendor.creates_of(TITLE)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(vendor: MusicVendor, api: MusicApi, status: int) -> None:
    vendor.plan(TITLE, behaviour.redirects(status, vendor.origin + CREATE_PATH))
    outcome = create(api)
    assert isinstance(outcome, Retryable if status in (301, 307, 308) else Unknown)
    assert len(vendor.requests) == 1
    assert vendor.creates == ()


@pytest.mark.parametrize("location", ["http://[", "", "//", "https://user:pass@127.0.0.1:1/"])
def test_a_broken_location_changes_nothing(vendor: MusicVendor, api: MusicApi, location: str) -> None:
    vendor.plan(TITLE, behaviour.redirects(301, location))
    outcome = create(api)
    assert isinstance(outcome, Retryable)
    assert outcome.reason is Reason.REDIRECTED


def test_a_task_id_with_slashes_is_one_part_of_the_path(vendor: MusicVendor, api: MusicApi) -> None:
    api.poll("a/../b", TOKEN)
    assert vendor.requests[-1].path.endswith("/task/a%2F..%2Fb")
