"""Runs the README's examples against the deployed stack."""

import re
import subprocess
import sys

from tests.local.cloud.cloud import PROJECT
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_boto3_example_sends_a_song_and_reads_its_row(intake: Intake, vendor: MusicVendor) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = f"queue_url = {intake.queue_url!r}\ntable = {intake.table!r}\n"
    subprocess.run([sys.executable, "-c", names + example], check=True, env=intake.environment(), timeout=60)
    row = intake.wait_for_status("order-4711:song-1", "SUBMITTED")
    assert row["task_id"] == vendor.creates_of("Kettle in the Morning")[0].task_id


def test_the_smallest_request_of_the_readme_creates_a_song(intake: Intake, vendor: MusicVendor) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    message_id = intake.send(example)
    intake.wait_for_status(message_id, "SUBMITTED")
    assert len(vendor.creates_of("Kettle in the Morning")) == 1
