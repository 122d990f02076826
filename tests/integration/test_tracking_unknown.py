"""A song whose task the API does not know: when it is given up, and how it still ends, on real parts.

The clock is virtual: every check is polled once in five minutes.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from song_intake.app.track import track_song
from song_intake.app.webhook import WebhookSettings, receive_webhook
from song_intake.aws.signing_key import SigningKey
from song_intake.domain.reason import Reason
from song_intake.domain.task import Clip, NoAnswer, NoSuchTask, Running, Succeeded, TaskState
from song_intake.domain.trace import Trace
from song_intake.music_api.client import MusicApi
from song_intake.outgoing.checks import SongCheck
from song_intake.work.webhook_endpoint import HttpApiEvent
from tests.integration.bench import Bench, plenty_of_time
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE, letter_in, retry_in
from tests.integration.following import body_of, look, submitted, track_settings, tracking
from tests.integration.handling import failed
from tests.local.vendor import answer as said
from tests.local.vendor import story
from tests.local.vendor.answer import Generation
from tests.local.webhooks.call import Genuine
from tests.local.webhooks.event import lambda_event
from tests.signing import SIGNING_KEY

MINUTE = 60.0
BETWEEN_POLLS = 5 * MINUTE
SUCCESS = Succeeded((Clip("clip-1", audio_url="https://cdn.example/clip-1.m4a"),))
UNKNOWN = NoSuchTask(404)
A_PAGE = NoAnswer(Reason.POLL_FAILED, 404)
"""What a gateway's HTML page comes to."""


class ScriptedApi(MusicApi):
    """Answers one poll after the other; the last state for good."""

    def __init__(self, *states: TaskState) -> None:
        self._states: Iterator[TaskState] = iter(states)
        self._last: TaskState = states[-1]
        self.polls = 0

    def poll(self, task_id: str, token: str, trace: Trace | None = None) -> TaskState:
        self.polls += 1
        return next(self._states, self._last)


def events_of(bench: Bench) -> list[tuple[str, str | None]]:
    return [(event["detail-type"], event["detail"].get("reason")) for event in bench.bus.events()]


Follow = Callable[..., None]
"""Polls the song of each check on the queue until no check is left, or for so many polls."""


@pytest.fixture
def follow(bench: Bench, time_passes: TimePasses) -> Follow:
    def until_no_check_is_left(api: MusicApi | None = None, polls: int = 50) -> None:
        batch = track_song(track_settings(bench), bench.clients(), bench.telemetry, api)
        for _ in range(polls):
            records = bench.checks.records()
            stay = failed(batch.handle(records, plenty_of_time))
            for record in records:
                receipt = record["receiptHandle"]
                if record["messageId"] in stay:
                    bench.sqs.change_message_visibility(
                        QueueUrl=bench.checks.url, ReceiptHandle=receipt, VisibilityTimeout=0
                    )
                else:
                    bench.checks.delete(receipt)
            if not records:
                return
            time_passes(BETWEEN_POLLS)

    return until_no_check_is_left


@pytest.fixture
def check(bench: Bench, request_id: str) -> SongCheck:
    """A submitted song, and its check on the queue."""
    check = submitted(bench, request_id, story.never_finishes())
    bench.checks.send(body_of(check))
    # Before anything is published, the bus must have its listener.
    assert bench.bus.events() == []
    return check


def webhook_of(bench: Bench, check: SongCheck) -> int:
    key = SigningKey.of(SIGNING_KEY)
    body = json.dumps({"task_id": check.task_id, "event": "song.completed"}).encode()
    call = Genuine(check.request_id, key.path_mac(check.request_id), key.secret(check.request_id), body).call()
    settings = WebhookSettings(signing_key_secret_arn=bench.signing_key_id, song_checks_queue_url=bench.checks.url)
    endpoint = receive_webhook(settings, bench.clients(), bench.telemetry)
    return endpoint.handle(cast("HttpApiEvent", lambda_event(call)))["statusCode"]


def redriven(bench: Bench) -> list[str]:
    """The reasons of the dead letters, which are back on the queue of checks."""
    letters = bench.dead_checks.letters()
    for letter in letters:
        bench.dead_checks.delete(letter.receipt_handle)
        bench.checks.send(letter.body, letter.attributes)
    return [letter.attributes["reason"] for letter in letters]


def test_a_gateways_404_for_forty_minutes_says_nothing_about_the_song(
    bench: Bench, request_id: str, follow: Follow
) -> None:
    page = story.answers(said.Answer(404, b"<!doctype html><title>404</title>", "text/html"))
    bench.checks.send(body_of(submitted(bench, request_id, story.succeeds().after(*[page] * 9))))
    assert bench.bus.events() == []
    follow()
    assert (bench.row(request_id)["status"], len(bench.vendor.polls_of(TITLE))) == ("SUCCEEDED", 10)
    assert (events_of(bench), bench.dead_checks.letters()) == ([("Song Succeeded", None)], [])


@pytest.mark.parametrize("generation", Generation)
def test_a_task_that_is_unknown_for_half_an_hour_is_given_up_and_its_webhook_still_ends_it(
    bench: Bench, request_id: str, follow: Follow, generation: Generation
) -> None:
    """The functions are built from their settings, and the stand-in answers every poll: 400 or 404 in its form."""
    song = story.succeeds(seconds=0, generation=generation).after(*[story.unknown_task()] * 7)
    check = submitted(bench, request_id, song)
    bench.checks.send(body_of(check))
    assert bench.bus.events() == []
    follow()
    row = bench.row(request_id)
    assert (row["status"], row["reason"]) == ("SUBMITTED", "TASK_UNKNOWN")
    assert row["detail"] == "the music API has not known the task for 30 minutes"
    assert (events_of(bench), len(bench.vendor.polls_of(TITLE))) == ([("Song In Doubt", "TASK_UNKNOWN")], 7)
    (letter,) = bench.dead_checks.letters()
    named = {name: letter.attributes[name] for name in ("reason", "request_id", "task_id")}
    assert named == {"reason": "TASK_UNKNOWN", "request_id": request_id, "task_id": check.task_id}

    assert webhook_of(bench, check) == 200
    follow()
    row = bench.row(request_id)
    assert (row["status"], {"reason", "detail"} & row.keys()) == ("SUCCEEDED", set())
    assert events_of(bench) == [("Song Succeeded", None)]
    assert len(bench.vendor.creates_of(TITLE)) == 1


def test_a_redrive_counts_anew_and_may_end_the_song(bench: Bench, check: SongCheck, follow: Follow) -> None:
    api = ScriptedApi(*[UNKNOWN] * 7, *[UNKNOWN] * 6, SUCCESS)
    follow(api)
    assert redriven(bench) == ["TASK_UNKNOWN"]
    follow(api)
    assert (api.polls, bench.row(check.request_id)["status"], redriven(bench)) == (14, "SUCCEEDED", [])


def test_a_song_may_be_given_up_twice_for_two_reasons_and_both_are_published(
    bench: Bench, check: SongCheck, follow: Follow
) -> None:
    follow(ScriptedApi(UNKNOWN))
    assert redriven(bench) == ["TASK_UNKNOWN"]
    follow(ScriptedApi(Running()), polls=400)
    details: list[dict[str, Any]] = bench.bus.details()
    assert [detail["reason"] for detail in details] == ["TASK_UNKNOWN", "NEVER_FINISHED"]
    assert len({detail["id"] for detail in details}) == 2
    assert bench.row(check.request_id)["reason"] == "NEVER_FINISHED"


@pytest.mark.parametrize(
    ("states", "polls"),
    [
        pytest.param((UNKNOWN,), 7, id="always unknown"),
        pytest.param((UNKNOWN, A_PAGE, A_PAGE, A_PAGE, UNKNOWN), 7, id="no answer in between does not reset"),
        pytest.param((UNKNOWN, *[A_PAGE] * 9, UNKNOWN), 11, id="no answer does not count"),
        pytest.param((A_PAGE, A_PAGE, UNKNOWN), 9, id="no answer before does not count"),
        pytest.param((*[UNKNOWN] * 6, Running(), UNKNOWN), 14, id="running resets"),
        pytest.param((*[UNKNOWN] * 6, Running(unknown_status=True), UNKNOWN), 14, id="a status resets"),
        pytest.param((Running(), Running(), UNKNOWN), 9, id="running before does not count"),
    ],
)
def test_it_is_given_up_when_every_status_for_half_an_hour_was_unknown(
    bench: Bench, check: SongCheck, follow: Follow, states: tuple[TaskState, ...], polls: int
) -> None:
    api = ScriptedApi(*states)
    follow(api)
    assert (api.polls, bench.row(check.request_id)["reason"]) == (polls, "TASK_UNKNOWN")


@pytest.mark.parametrize("polls_before", [0, 1], ids=["at first", "after an unknown task"])
def test_an_unreadable_status_is_counted(
    bench: Bench, check: SongCheck, follow: Follow, capsys: pytest.CaptureFixture[str], polls_before: int
) -> None:
    follow(ScriptedApi(*[UNKNOWN] * polls_before, Running(unknown_status=True), SUCCESS))
    assert bench.row(check.request_id)["status"] == "SUCCEEDED"
    assert '"UnknownStatus":[1.0]' in capsys.readouterr().out
    assert bench.lines()[-2]["reason"] == "UNKNOWN_STATUS"


def test_a_clock_that_was_wrong_ends_nothing_early(bench: Bench, check: SongCheck) -> None:
    now = time.time()
    by = replace(tracking(bench), music_api=ScriptedApi(UNKNOWN))
    behind = look(replace(check, unknown_since=now - 31 * MINUTE), by, sent_at=now - 29 * MINUTE)
    ahead = look(replace(check, unknown_since=now + 60 * MINUTE), by, sent_at=now - 31 * MINUTE)
    assert retry_in(behind).reason is retry_in(ahead).reason is Reason.TASK_UNKNOWN
    right = look(replace(check, unknown_since=now - 31 * MINUTE), by, sent_at=now - 31 * MINUTE)
    assert letter_in(right).reason is Reason.TASK_UNKNOWN


def test_a_check_of_the_release_before_counts_from_when_it_was_sent(
    bench: Bench, check: SongCheck, follow: Follow
) -> None:
    (record,) = bench.checks.records()
    bench.checks.delete(record["receiptHandle"])
    body = {"request_id": check.request_id, "task_id": check.task_id, "since": check.since, "no_such_task": True}
    bench.checks.send(json.dumps(body))
    api = ScriptedApi(UNKNOWN)
    follow(api)
    assert (api.polls, bench.row(check.request_id)["reason"]) == (7, "TASK_UNKNOWN")


def test_a_song_without_its_link_is_not_finished(bench: Bench, request_id: str, follow: Follow) -> None:
    without = {"clip_id": "clip-1", "state": "succeeded", "audio_url": None}
    reply = story.answers(said.json_answer({"code": 200, "status": "SUCCESS", "data": [without]}))
    bench.checks.send(body_of(submitted(bench, request_id, story.succeeds().after(reply))))
    follow(polls=1)
    assert (bench.row(request_id)["status"], bench.bus.details()) == ("SUBMITTED", [])
    follow()
    (event,) = bench.bus.details()
    assert event["clips"][0]["audio_url"].startswith("https://")
