"""What the response to a poll does to a song: only an end in the vendor's form, and complete, is an end."""

import json

import pytest

from song_intake.domain.decision import Done
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from tests.integration.bench import Bench, plenty_of_time
from tests.integration.decisions import retry_in
from tests.integration.following import body_of, check_batch, look, submitted, tracking
from tests.integration.handling import failed
from tests.local.vendor import story
from tests.local.vendor.answer import Answer
from tests.local.vendor.story import PollReply

PAGE = b"<!doctype html><title>404: NOT_FOUND</title>"
DONE = {"clip_id": "c", "state": "succeeded", "audio_url": "https://cdn.example/c.m4a"}


def replies(status: int, body: object) -> PollReply:
    return PollReply(Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode()))


NOT_YET = [
    pytest.param(replies(404, PAGE), Reason.POLL_FAILED, id="404, a page"),
    pytest.param(replies(200, PAGE), Reason.POLL_FAILED, id="200, a page"),
    pytest.param(
        replies(200, {"status": "SUCCESS", "data": [DONE | {"audio_url": None}]}), Reason.NOT_FINISHED, id="no link"
    ),
    pytest.param(
        replies(200, {"status": "SUCCESS", "data": [DONE, DONE | {"state": "streaming"}]}),
        Reason.NOT_FINISHED,
        id="one of two streaming",
    ),
    pytest.param(replies(200, {"status": "SUCCESS", "data": "soon"}), Reason.UNKNOWN_STATUS, id="an unreadable shape"),
]


@pytest.mark.parametrize(("reply", "reason"), NOT_YET)
def test_what_is_no_complete_end_leaves_the_song_submitted(
    bench: Bench, request_id: str, reply: PollReply, reason: Reason
) -> None:
    check = submitted(bench, request_id, story.succeeds().after(reply, reply, reply))
    follow = tracking(bench)
    for _ in range(3):
        assert retry_in(look(check, follow)).reason is reason
    assert bench.row(request_id)["status"] == "SUBMITTED"
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED)


def test_a_504_that_reports_the_failure_and_the_refund_is_an_end(bench: Bench, request_id: str) -> None:
    timed_out = {"type": "timeout", "error": "Task failed due to timeout. Credits were previously refunded."}
    check = submitted(bench, request_id, story.succeeds().after(replies(504, timed_out)))
    assert look(check, tracking(bench)) == Done(check.task_id, ended=Status.FAILED)
    row = bench.row(request_id)
    assert (row["status"], row["refunded"], row["vendor_code"]) == ("FAILED", True, "timeout")


def test_refused_links_are_left_out_of_the_row_and_counted(bench: Bench, request_id: str) -> None:
    check = submitted(
        bench, request_id, story.makes_clip(wav_url="http://cdn.example/1.wav", video_url="https://10.0.0.1/1.mp4")
    )
    follow = tracking(bench)
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED, links_refused=2)
    (clip,) = bench.row(request_id)["clips"]
    assert {"audio_url", "image_url"} == {name for name in clip["M"] if name.endswith("_url")}
    assert look(check, follow) == Done(check.task_id, ended=Status.SUCCEEDED, duplicate=True), "counted once"


def test_a_retry_after_of_a_day_delays_the_next_poll_by_15_minutes_at_most(
    bench: Bench, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[int] = []
    change = bench.sqs.change_message_visibility_batch

    def record(**call: object) -> object:
        entries = call["Entries"]
        assert isinstance(entries, list)
        hidden.extend(entry["VisibilityTimeout"] for entry in entries)
        return change(**call)  # type: ignore[arg-type]

    check = submitted(bench, request_id, story.succeeds().after(story.rate_limited("86400")))
    monkeypatch.setattr(bench.sqs, "change_message_visibility_batch", record)
    bench.checks.send(body_of(check))
    (received,) = bench.checks.records()
    assert failed(check_batch(bench).handle([received], plenty_of_time)) == {received["messageId"]}
    assert hidden == [900]
    assert "change_visibility" not in [line["action"] for line in bench.all_lines()]
