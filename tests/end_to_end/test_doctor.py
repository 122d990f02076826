"""`make doctor` on a deployed stack: every check, and what it says of a stack that is broken on purpose."""

import re
from collections.abc import Mapping

import boto3
import pytest

from song_intake.commands.deployed import DeployedStack, Waiting, described_stack
from song_intake.commands.doctor import diagnose
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.webhooks.transport import local_cloud, send_request

NO_LONGER_THAN = Waiting(short=20.0, song=30.0, interval=0.1)


@pytest.fixture
def deployed(tracking: Intake, monkeypatch: pytest.MonkeyPatch) -> DeployedStack:
    for name, value in tracking.environment().items():
        monkeypatch.setenv(name, value)
    find = local_cloud(tracking.cloud.port, tracking.cloud.ca_bundle)

    def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        return send_request(find(url), "POST", headers.items(), body)

    return described_stack(boto3.Session(), tracking.stack.name, NO_LONGER_THAN, post)


def test_every_check_of_a_sound_stack_passes_and_leaves_nothing_behind(
    deployed: DeployedStack, tracking: Intake, vendor: MusicVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    code = diagnose(lambda: deployed, is_paid=True)
    out = capsys.readouterr().out
    assert code == 0, out
    print(out)
    assert 0
