"""The stand-in keeps the vendor's rules, and its record is right whatever a client received."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.local.vendor import answer as said
from tests.local.vendor import behaviour
from tests.local.vendor.answer import Generation
from tests.local.vendor.behaviour import Behaviour
from tests.local.vendor.music_vendor import CREDITS_PATH, MusicVendor
from tests.local.vendor.record import CREATE_PATH, Create

TOKEN = "a-known-token"
SONG: dict[str, object] = {"task_type": "create_music", "title": "Night Train", "sound": "slow blues"}


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor:
        yield vendor


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


Post = Callable[..., requests.Response]


@pytest.fixture
def post(vendor: MusicVendor, client: requests.Session) -> Post:
    def post(
        body: object = SONG, authorization: str | None = f"Bearer {TOKEN}", timeout: float = 5
    ) -> requests.Response:
        return client.post(
            vendor.origin + CREATE_PATH,
            data=json.dumps(body),
            headers={"Authorization": authorization} if authorization else {},
            timeout=5,
            verify=str(vendor.ca_bundle),
            allow_redirects=False,
        )

    return post


@pytest.mark.parametrize(
    ("generation", "keys"),
    [(Generation.OLDER, {"code", "task_id", "message"}), (Generation.NEWER, {"task_id", "message"})],
)
def test_a_create_creates_one_song_and_returns_its_task_id(
    vendor: MusicVendor, post: Post, generation: Generation, keys: set[str]
) -> None:
    vendor.generation = generation

    answer = post()

    vendor.wait_for(lambda: all(create.answered for create in vendor.creates), timeout=30)
    (create,) = vendor.creates_of("Night Train")
    assert (answer.status_code, answer.json()["task_id"], set(answer.json())) == (200, create.task_id, keys)
    assert (create.body, create.token) == (SONG, TOKEN)


def test_the_two_generations_of_answers_alternate(post: Post) -> None:
    assert ["code" in post().json() for _ in range(4)] == [True, False, True, False]


def test_a_song_costs_ten_credits_until_there_are_none(
    vendor: MusicVendor, post: Post, client: requests.Session
) -> None:
    vendor.credits = 10
    post()

    older, newer = sorted((post(), post()), key=lambda answer: -answer.status_code)

    assert (older.status_code, older.json()["type"]) == (403, "forbidden")
    assert older.json()["error"].startswith("The remaining credits are not enough.")
    assert (newer.status_code, newer.json()["type"]) == (402, "insufficient_credits")
    assert len(vendor.creates) == 1
    url, headers = vendor.origin + CREDITS_PATH, {"Authorization": f"Bearer {TOKEN}"}
    balance = client.get(url, headers=headers, timeout=5, verify=str(vendor.ca_bundle))
    assert balance.json() == {"credits": 0, "extra_credits": 0}


@pytest.mark.parametrize("authorization", [None, "Bearer unknown", TOKEN, f"Basic {TOKEN}", "Bearer "])
def test_without_a_known_token_there_is_no_song(vendor: MusicVendor, post: Post, authorization: str | None) -> None:
    vendor.plan("Night Train", behaviour.usual())

    answer = post(authorization=authorization)

    assert (answer.status_code, answer.json()["type"], vendor.creates) == (401, "unauthorized", ())
    assert len(vendor.attempts_of("Night Train")) == 1


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ([SONG], 400, "object"),
        ({**SONG, "weirdness": float("nan")}, 400, "object"),
        ({"sound": "slow blues"}, 400, "task_type"),
        ({**SONG, "task_type": "extend_music"}, 410, "task_type"),
        ({"task_type": "create_music"}, 400, "sound, lyrics"),
        ({**SONG, "title": "t" * 81}, 400, "title"),
        ({**SONG, "mv": "fuzz-2.0"}, 400, "mv"),
        ({**SONG, "seed": 7}, 400, "seed"),
        ({**SONG, "make_instrumental": "yes"}, 400, "make_instrumental"),
        ({**SONG, "sound_strength": 0.1}, 400, "sound_strength"),
        ({**SONG, "lyrics_strength": True}, 400, "lyrics_strength"),
        ({**SONG, "webhook_url": "http://example.com/"}, 400, "webhook_url"),
        ({**SONG, "request_id": "ours"}, 400, "request_id"),
    ],
)
def test_a_create_that_breaks_a_rule_is_refused(
    vendor: MusicVendor, post: Post, body: object, status: int, named: str
) -> None:
    answer = post(body)

    assert (answer.status_code, vendor.creates) == (status, ())
    assert named in answer.json()["error"]


@pytest.mark.parametrize(
    ("planned", "status", "shown"),
    [
        (behaviour.refuses(said.validation_error("lyrics is wrong")), 400, "lyrics is wrong"),
        (behaviour.refuses(said.UNAUTHORIZED), 401, "unauthorized"),
        (behaviour.refuses(said.INSUFFICIENT_CREDITS), 402, "insufficient_credits"),
        (behaviour.refuses(said.CREDITS_USED_UP, Generation.OLDER), 403, '"code": 403'),
        (behaviour.refuses(said.NO_SUBSCRIPTION), 403, "active subscription"),
        (behaviour.refuses(said.LYRICS_REFUSED), 403, "lyrics"),
        (behaviour.refuses(said.NOT_FOUND), 404, "not_found"),
        (behaviour.refuses(said.ENDPOINT_RETIRED), 410, "endpoint_retired"),
        (behaviour.fails(said.INTERNAL_ERROR, creates=True), 500, "internal_error"),
        (behaviour.fails(said.UPSTREAM_FAILED, creates=False), 502, "upstream_error"),
        (behaviour.fails(said.UPSTREAM_UNAVAILABLE, creates=True), 503, "upstream_error"),
        (behaviour.fails(said.TIMEOUT, creates=False), 504, "timeout"),
        (behaviour.answers(499, b"", creates=True), 499, ""),
        (behaviour.html_page(creates=True), 200, "<!doctype html>"),
        (behaviour.no_task_id(creates=True), 200, "success"),
        (behaviour.invalid_json(creates=False), 200, '"task_id": "d8b5'),
        (behaviour.huge_answer(), 200, "x" * 64 * 1024),
        (behaviour.usual(Generation.OLDER, delay=0.05), 200, '"code": 200'),
    ],
)
def test_a_planned_answer_is_sent_once_and_later_creates_are_usual(
    vendor: MusicVendor, post: Post, planned: Behaviour, status: int, shown: str
) -> None:
    vendor.plan("Night Train", planned)

    answer = post()

    assert (answer.status_code, len(vendor.creates)) == (status, int(planned.creates))
    assert shown in answer.text
    assert post().json()["task_id"] == vendor.creates[-1].task_id


def test_plans_of_a_title_apply_in_order_and_before_the_plan_for_all(vendor: MusicVendor, post: Post) -> None:
    vendor.plan_all(behaviour.rate_limited("3"))
    vendor.plan("Night Train", behaviour.redirects(307, "/elsewhere"), behaviour.usual())

    answers = [post(), post(), post()]

    assert [answer.status_code for answer in answers] == [307, 200, 429]
    assert (answers[0].headers["Location"], answers[2].headers["Retry-After"]) == ("/elsewhere", "3")
    assert [request.path for request in vendor.requests] == [CREATE_PATH] * 3


def test_a_hook_runs_between_the_song_and_its_answer(vendor: MusicVendor, post: Post) -> None:
    seen: list[tuple[str, tuple[Create, ...]]] = []
    vendor.on_create("Night Train", lambda request: seen.append((request.headers["authorization"], vendor.creates)))

    post()
    post()

    assert [(authorization, [song.answered for song in songs]) for authorization, songs in seen] == [
        (f"Bearer {TOKEN}", [False])
    ]


def test_waiting_for_a_condition_that_never_holds_raises(vendor: MusicVendor) -> None:
    with pytest.raises(TimeoutError):
        vendor.wait_for(lambda: vendor.creates, timeout=0.05)
