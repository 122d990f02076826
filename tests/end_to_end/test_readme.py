"""Runs the README's examples against the deployed stack."""

import json
import re
import subprocess
import sys

from tests.local.cloud.cloud import PROJECT
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_example_of_the_client_sends_a_song_and_reads_its_row(intake: Intake, vendor: MusicVendor) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = f"queue_url = {intake.queue_url!r}\ntable = {intake.table!r}\n"
    environment = {**intake.environment(), "PYTHONPATH": str(PROJECT / "layers/song_client")}
    subprocess.run([sys.executable, "-c", names + example], check=True, env=environment, timeout=60)
    row = intake.wait_for_status("order-4712:song-1", "SUBMITTED")
    assert row["task_id"] == vendor.creates_of("Toast at Noon")[0].task_id


def test_the_first_request_of_the_readme_creates_a_song(intake: Intake, vendor: MusicVendor) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    intake.send(example)
    intake.wait_for_status(json.loads(example)["request_id"], "SUBMITTED")
    assert len(vendor.creates_of("Kettle in the Morning")) == 1
