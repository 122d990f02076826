"""The row, the dead letter and the created songs for each kind of answer to a create."""

from dataclasses import dataclass

import pytest

from tests.end_to_end.songs import QUOTING, TOKEN, new_id, song
from tests.local.intake import Intake, Letter
from tests.local.intake_alarms import AlarmWatch
from tests.local.vendor.answer import (
    CREDITS_USED_UP,
    ENDPOINT_RETIRED,
    INSUFFICIENT_CREDITS,
    INTERNAL_ERROR,
    LYRICS_REFUSED,
    TIMEOUT,
    UPSTREAM_FAILED,
    UPSTREAM_UNAVAILABLE,
    Generation,
)
from tests.local.vendor.behaviour import (
    Behaviour,
    answers,
    cut,
    drip,
    fails,
    hang,
    html_page,
    huge_answer,
    invalid_json,
    no_task_id,
    rate_limited,
    redirects,
    refuses,
    usual,
)
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

NEVER_CREATED = {
    "400 that quotes the lyrics": (answers(400, QUOTING, creates=False), "REFUSED", "validation_error"),
    "403 about the lyrics": (refuses(LYRICS_REFUSED), "REFUSED", "forbidden"),
    "413": (answers(413, b"<html>", "text/html", creates=False), "REFUSED", None),
}

CREATED_LATER = {
    "429": rate_limited(),
    "429 with Retry-After": rate_limited("1"),
    "402": refuses(INSUFFICIENT_CREDITS),
    "403 about credits": refuses(CREDITS_USED_UP),
    "403 in HTML": answers(403, b"<html>", "text/html", creates=False),
    "404 in HTML": answers(404, b"<html>", "text/html", creates=False),
    "410": refuses(ENDPOINT_RETIRED),
    "301": redirects(301, "https://elsewhere.invalid/"),
    "308": redirects(308, "https://elsewhere.invalid/"),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    behaviour: Behaviour
    songs: int


UNKNOWN = {
    "hangs, song created": Doubt(hang(creates=True), 1),
    "hangs, no song": Doubt(hang(creates=False), 0),
    "drips the head": Doubt(drip("head", 0.05), 1),
    "drips the body": Doubt(drip("body", 0.05), 1),
    "resets before the answer": Doubt(cut("start", creates=True), 1),
    "cuts the head": Doubt(cut("head", creates=True), 1),
    "cuts the body": Doubt(cut("body", creates=True, reset=False), 1),
    "500, song created": Doubt(fails(INTERNAL_ERROR, creates=True), 1),
    "500, no song": Doubt(fails(INTERNAL_ERROR, creates=False), 0),
    "502": Doubt(fails(UPSTREAM_FAILED, creates=True), 1),
    "503": Doubt(fails(UPSTREAM_UNAVAILABLE, creates=False), 0),
    "504": Doubt(fails(TIMEOUT, creates=True), 1),
    "302": Doubt(redirects(302, "https://elsewhere.invalid/", creates=True), 1),
    "200 in HTML": Doubt(html_page(creates=True), 1),
    "200 without a task_id": Doubt(no_task_id(creates=True), 1),
    "200, not JSON": Doubt(invalid_json(creates=True), 1),
    "200, larger than any answer": Doubt(huge_answer(), 1),
}


@pytest.mark.parametrize("generation", Generation)
def test_both_generations_of_the_answer_are_read(intake: Intake, vendor: MusicVendor, generation: Generation) -> None:
    request_id = new_id("shape")
    vendor.plan("Shape", usual(generation))
    intake.send(song("Shape", request_id=request_id))
    row = intake.wait_for_status(request_id, "SUBMITTED")
    assert row["task_id"] == vendor.creates_of("Shape")[0].task_id


def test_a_refused_request_is_rejected_with_the_vendors_code(
    intake: Intake, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    ids = {name: _send(intake, vendor, name, behaviour) for name, (behaviour, _, _) in NEVER_CREATED.items()}
    for name, (_, reason, code) in NEVER_CREATED.items():
        with subtests.test(name):
            letter = intake.wait_for_letter(ids[name])
            assert (letter.reason, letter.attributes.get("vendor_code")) == (reason, code)
            row = intake.wait_for_status(ids[name], "REJECTED")
            assert (row["reason"], row.get("vendor_code")) == (reason, code)
            assert len(vendor.attempts_of(name)) == 1
    assert vendor.creates == ()


def test_a_refused_request_may_be_sent_again_once_it_is_fixed(intake: Intake, vendor: MusicVendor) -> None:
    request_id = _send(intake, vendor, "Refused", refuses(LYRICS_REFUSED))
    intake.wait_for_letter(request_id)
    intake.send(song("Refused, Fixed", request_id=request_id))
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates) == 1


def test_a_request_that_was_not_created_is_retried_and_created_once(
    intake: Intake, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    ids = {name: _send(intake, vendor, name, behaviour, behaviour) for name, behaviour in CREATED_LATER.items()}
    for name, request_id in ids.items():
        with subtests.test(name):
            row = intake.wait_for_status(request_id, "SUBMITTED")
            assert row["attempt"] == "3"
            assert len(vendor.creates_of(name)) == 1
    assert intake.letters() == []


def test_an_unknown_outcome_is_a_dead_letter_and_never_retried(
    intake: Intake, vendor: MusicVendor, subtests: pytest.Subtests
) -> None:
    # Every other request has no request_id: a redrive gives its message another id, and still it must be recognised.
    ids: dict[str, str] = {}
    for i, (name, doubt) in enumerate(UNKNOWN.items()):
        ids[name] = _send(intake, vendor, name, doubt.behaviour, own_id=bool(i % 2))
        intake.wait_for_status(ids[name], "IN_DOUBT")
        # A sign of life: three unknown outcomes in a row would keep the others from being tried.
        intake.wait_for_status(_send(intake, vendor, f"Alive {i}"), "SUBMITTED")
    for redrives, redrive in enumerate((intake.redrive_by_sqs, intake.redrive_by_command, None)):
        letters = wait_for(lambda: _all_letters(intake, ids), "all letters", 40)
        for name, doubt in UNKNOWN.items():
            with subtests.test(name, redrives=redrives):
                assert letters[ids[name]].reason == "OUTCOME_UNKNOWN"
                assert intake.row(ids[name])["status"] == "IN_DOUBT"
                assert len(vendor.creates_of(name)) == doubt.songs
                assert len(vendor.attempts_of(name)) == 1
        if redrive:
            redrive()


def _all_letters(intake: Intake, ids: dict[str, str]) -> dict[str, Letter] | None:
    letters = {letter.attributes["request_id"]: letter for letter in intake.letters()}
    return letters if letters.keys() == set(ids.values()) and intake.in_queue() == 0 else None


def test_a_request_waits_while_there_are_no_credits(intake: Intake, vendor: MusicVendor) -> None:
    watch = AlarmWatch(intake)
    vendor.credits = 0
    request_id = _send(intake, vendor, "Broke")
    row = intake.wait_for_status(request_id, "RETRYING")
    assert row["reason"] == "NO_CREDITS"
    watch.wait_for("NoCreditsAlarm")
    assert intake.in_queue() == 1
    vendor.credits = 10
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("Broke")) == 1


def test_a_rotated_token_is_fetched_once_and_the_request_is_submitted(intake: Intake, vendor: MusicVendor) -> None:
    watch = AlarmWatch(intake)
    _send_and_wait(intake, vendor, "Before the Rotation")
    rotated = f"{TOKEN}-rotated"
    vendor.tokens.clear()
    vendor.tokens.add(rotated)
    intake.set_token(rotated)
    try:
        _send_and_wait(intake, vendor, "After the Rotation")
        assert [request.headers["authorization"] for request in vendor.attempts_of("After the Rotation")] in (
            [f"Bearer {TOKEN}", f"Bearer {rotated}"],
            [f"Bearer {rotated}"],  # a function that started after the rotation
        )
        assert len(vendor.creates_of("After the Rotation")) == 1
        watch.assert_quiet("Submitted")
    finally:
        intake.set_token(TOKEN)
    vendor.tokens.add(TOKEN)


def test_a_request_waits_while_its_token_is_refused(intake: Intake, vendor: MusicVendor) -> None:
    watch = AlarmWatch(intake)
    vendor.tokens.clear()
    request_id = _send(intake, vendor, "Refused Token")
    row = intake.wait_for_status(request_id, "RETRYING")
    assert row["reason"] == "TOKEN_REFUSED"
    assert row["http_status"] == "401"
    watch.wait_for("TokenRefusedAlarm")
    assert intake.in_queue() == 1
    vendor.tokens.add(TOKEN)
    intake.wait_for_status(request_id, "SUBMITTED")
    assert len(vendor.creates_of("Refused Token")) == 1


def _send(intake: Intake, vendor: MusicVendor, title: str, *behaviours: Behaviour, own_id: bool = True) -> str:
    vendor.plan(title, *behaviours)
    request_id = new_id("answer")
    message_id = intake.send(song(title, request_id=request_id) if own_id else song(title))
    return request_id if own_id else message_id


def _send_and_wait(intake: Intake, vendor: MusicVendor, title: str) -> None:
    intake.wait_for_status(_send(intake, vendor, title), "SUBMITTED")
