"""A fault of the account stops the intake: nothing is lost, nothing given up, little tried, until it can go on."""

import json
import subprocess
import sys

from tests.end_to_end.songs import TOKEN, new_id, song
from tests.local.cloud import PROJECT
from tests.local.intake import Intake
from tests.local.intake_faults import configured
from tests.local.intake_switching import say, wait_for_mapping
from tests.local.music_vendor import MusicVendor

MANY = 12


def test_no_credits_pause_the_intake_until_there_are_some(paying: Intake, vendor: MusicVendor) -> None:
    vendor.credits = 0
    _send(paying, 1)
    wait_for_mapping(paying, "Disabled")
    tried = len(vendor.attempts_of("Broke"))
    waiting = _send(paying, MANY)
    assert say(paying, "look")["mapping"] == "Disabled"
    assert not [request_id for request_id in waiting if request_id in paying.log()], "none was so much as received"
    assert len(vendor.attempts_of("Broke")) == tried
    vendor.credits = 10 * (MANY + 1)
    assert say(paying, "look")["switched"]["position"] == "on"
    vendor.wait_for(lambda: len(vendor.creates) == MANY + 1, timeout=20)
    paying.wait_until_empty()
    assert {row["status"] for row in paying.rows() if row["request_id"] in waiting} == {"SUBMITTED"}
    assert paying.letters() == []


def test_requests_sent_before_there_is_a_token_start_by_themselves(paying: Intake, vendor: MusicVendor) -> None:
    paying.set_token('{"api_token": ""}')
    # In new processes, which read the secret anew.
    with configured(paying, POWERTOOLS_LOG_LEVEL="DEBUG"):
        waiting = _send(paying, 3)
        wait_for_mapping(paying, "Disabled")
        assert _typed(paying)["switched"]["reason"] == "TOKEN_UNAVAILABLE"
        assert vendor.attempts_of("Broke") == ()
        paying.set_token(json.dumps({"api_token": TOKEN}))
        assert say(paying, "look")["switched"]["position"] == "on"
        for request_id in waiting:
            paying.wait_for_status(request_id, "SUBMITTED")
    assert paying.letters() == []


def _send(intake: Intake, songs: int) -> list[str]:
    ids = [new_id("broke") for _ in range(songs)]
    intake.send_all([json.dumps(song("Broke", request_id=request_id)) for request_id in ids])
    return ids


def _typed(intake: Intake, *words: str) -> dict[str, dict[str, object]]:
    """What `make intake` answers."""
    command = [sys.executable, "-m", "song_intake.intake", intake.stack.name, *words]
    environment = {**intake.environment(), "PYTHONPATH": str(PROJECT / "layers" / "song_intake")}
    shown = subprocess.run(command, check=True, env=environment, timeout=60, capture_output=True, text=True)
    said: dict[str, dict[str, object]] = json.loads(shown.stdout)
    return said
