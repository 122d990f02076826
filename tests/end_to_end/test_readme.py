"""Runs the README's examples against the deployed stack."""

import re
import subprocess
import sys

import pytest

from tests.local.cloud.cloud import PROJECT
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor

README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("package", "request_id", "title"),
    [
        ("import boto3", "order-4711:song-1", "Kettle in the Morning"),
        ("song_client", "order-4712:song-1", "Toast at Noon"),
    ],
)
def test_an_example_in_python_sends_a_song_and_reads_its_row(
    intake: Intake, vendor: MusicVendor, package: str, request_id: str, title: str
) -> None:
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if package in code]
    names = f"queue_url = {intake.queue_url!r}\ntable = {intake.table!r}\n"
    environment = {**intake.environment(), "PYTHONPATH": str(PROJECT / "layers/song_client")}
    subprocess.run([sys.executable, "-c", names + example], check=True, env=environment, timeout=60)
    row = intake.wait_for_status(request_id, "SUBMITTED")
    assert row["task_id"] == vendor.creates_of(title)[0].task_id


def test_the_smallest_request_of_the_readme_creates_a_song(intake: Intake, vendor: MusicVendor) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    message_id = intake.send(example)
    intake.wait_for_status(message_id, "SUBMITTED")
    assert len(vendor.creates_of("Kettle in the Morning")) == 1
