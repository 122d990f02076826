"""A shared fault pauses the intake: requests wait unsent and without loss until it is gone."""

import json
import subprocess
import sys

from tests.end_to_end.songs import TOKEN, new_id, song
from tests.local.cloud.cloud import PROJECT
from tests.local.cloud.deployment import change_parameters
from tests.local.intake import Intake
from tests.local.intake_alarms import AlarmWatch
from tests.local.intake_switching import mapping_state, switch, wait_for_mapping
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

MANY = 12
# The breaker of a process that found the fault opens for RetryCapSeconds, and then tries one request at a time.
SECONDS_OF_A_TRIAL = 60


def test_requests_sent_before_the_token_and_the_credits_exist_wait_and_are_submitted_automatically(
    unpaid: Intake, vendor: MusicVendor
) -> None:
    watch = AlarmWatch(unpaid)
    vendor.credits = 0
    assert switch(unpaid, "status")["account"]["reason"] == "TOKEN_NEVER_SET"
    watch.assert_quiet("CreditsUnknown")
    _send(unpaid, 1)
    wait_for_mapping(unpaid, "Disabled")
    assert _intake_command(unpaid)["switched"]["reason"] == "TOKEN_UNAVAILABLE"
    watch.wait_for("TokenUnavailableAlarm", "IntakePausedAlarm")
    waiting = _send(unpaid, MANY)
    # The template does not set whether a mapping is enabled, so that an upgrade leaves a pause alone.
    change_parameters(unpaid.cloud, unpaid.stack, {"BatchSize": "9", "LogLevel": "DEBUG"})
    assert switch(unpaid, "check")["mapping"] == "Disabled"
    unpaid.set_token(json.dumps({"api_token": TOKEN}))
    assert switch(unpaid, "check")["mapping"] == "Disabled", "there is a token, but there are no credits"
    watch.wait_for("TokenUnavailableAlarm", "IntakePausedAlarm", "CreditsAlarm")
    assert vendor.attempts_of("Broke") == ()
    assert not [request_id for request_id in waiting if request_id in unpaid.log()], "none was received"
    vendor.credits = 10 * (MANY + 1)
    assert switch(unpaid, "check")["switched"]["state"] == "on"
    vendor.wait_for(lambda: len(vendor.creates) == MANY + 1, timeout=60)
    unpaid.wait_until_empty()
    assert {row["status"] for row in unpaid.rows()} == {"SUBMITTED"}
    assert unpaid.letters() == []


def test_an_outage_of_the_music_api_pauses_the_intake_and_costs_no_request(unpaid: Intake, vendor: MusicVendor) -> None:
    watch = AlarmWatch(unpaid)
    unpaid.set_token(json.dumps({"api_token": TOKEN}))
    vendor.credits = 10 * MANY
    vendor.refuse_connections()
    _send(unpaid, MANY)
    wait_for_mapping(unpaid, "Disabled")
    assert switch(unpaid, "check")["switched"]["reason"] == "CANNOT_CONNECT"
    watch.wait_for("IntakePausedAlarm", "CreditsUnknownAlarm")
    vendor.accept_connections()
    assert switch(unpaid, "check")["switched"]["state"] == "on", "the balance was read, so the host answers"
    wait_for(lambda: len(vendor.creates_of("Broke")) >= MANY, "every song to be created", SECONDS_OF_A_TRIAL)
    unpaid.wait_until_empty()
    assert [row["status"] for row in unpaid.rows()] == ["SUBMITTED"] * MANY
    assert unpaid.letters() == []
    _pause_and_resume_at_once(unpaid)


def _pause_and_resume_at_once(intake: Intake) -> None:
    """Lambda refuses a change of a mapping that it is still disabling; the next checks see to it."""
    switch(intake, "off")
    switch(intake, "on")

    def resumed() -> bool:
        switch(intake, "check")
        return mapping_state(intake) == "Enabled"

    wait_for(resumed, "the mapping to be enabled again")


def _send(intake: Intake, songs: int) -> list[str]:
    ids = [new_id("broke") for _ in range(songs)]
    intake.send_all([json.dumps(song("Broke", request_id=request_id)) for request_id in ids])
    return ids


def _intake_command(intake: Intake, *options: str) -> dict[str, dict[str, object]]:
    """The output of `make intake`."""
    command = [sys.executable, "-m", "song_intake.commands", "--stack", intake.stack.name, "--json", "intake", *options]
    environment = {**intake.environment(), "PYTHONPATH": str(PROJECT / "layers" / "song_intake")}
    shown = subprocess.run(command, check=True, env=environment, timeout=60, capture_output=True, text=True)
    output: dict[str, dict[str, object]] = json.loads(shown.stdout)
    return output
