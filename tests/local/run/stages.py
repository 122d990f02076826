"""The stages of `make run`: start the stack, send and track requests, sum up, and keep the stack up in a terminal."""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from tests.local.cloud.cloud import Cloud, CloudFailed
from tests.local.cloud.deployment import DeploymentFailed
from tests.local.intake import KEEPING, SHORT_WAITS, TEMPLATE, Intake
from tests.local.intake_switching import switch, wait_for_mapping
from tests.local.run.cases import Case, generated, samples, while_out_of_credits
from tests.local.run.commands import commands
from tests.local.run.display import display, is_terminal
from tests.local.run.events import Events
from tests.local.run.keyboard import wait_for_the_end
from tests.local.run.progress import POLL_EVERY, Progress, Tracked
from tests.local.run.signals import uninterrupted_exit
from tests.local.run.summary import Evidence, is_as_expected, summary, without_event
from tests.local.run.terminal import printable
from tests.local.vendor.music_vendor import PLENTY_OF_CREDITS, MusicVendor
from tests.local.webhooks.transport import local_cloud

STACK: Final = "song-intake"
TOKEN: Final = "a-token-for-this-run"
# Long enough for a busy machine, for an answer that is delayed by 1.5 s, and for the webhooks that this run holds.
# With ten busy processes on each processor, a webhook that settles a doubt took 12 s.
PARAMETERS: Final = {
    **SHORT_WAITS,
    **KEEPING,
    "ConnectTimeoutSeconds": "5",
    "CreateDeadlineSeconds": "3",
    "PollDeadlineSeconds": "5",
    "SettleMarginSeconds": "8",
    "FunctionTimeoutSeconds": "20",
    "TrackTimeoutSeconds": "20",
    "LeaseSeconds": "20",
    "VisibilityTimeoutSeconds": "20",
    "ChecksVisibilityTimeoutSeconds": "20",
    "MaxReceiveCount": "30",
    "ResolutionWindowSeconds": "15",
}
LATENCY: Final = (0.1, 0.6)  # seconds from a create to its answer: minimum, maximum
TASK_SECONDS: Final = 1.0  # from a song's create to its end
PATIENCE_FOR_EVENTS: Final = 10.0  # seconds
PATIENCE_FOR_RECORDINGS: Final = 30.0  # seconds
LINES_OF_LOG: Final = 20
_STAYS_UP: Final = """\
The stack stays up until you press Ctrl-C.
events/README.md has a consumer of its events to deploy on it."""


class Failure(Exception):
    """The run cannot continue; the text has the cause."""


def run(port: int) -> bool:
    """Whether everything ended as expected. Raises PortTaken and Failure."""
    try:
        with tempfile.TemporaryDirectory(prefix="song-intake-") as folder, _up(Path(folder), port) as (intake, vendor):
            tracked, is_good = _send_and_track(intake, vendor)
            if not is_good:
                _print_end_of_log(intake)
            if is_terminal():
                _stay_up(intake, vendor, tracked)
            return is_good
    except (CloudFailed, DeploymentFailed, TimeoutError, BotoCoreError, ClientError) as failure:
        raise Failure(str(failure)) from failure


@contextmanager
def _up(folder: Path, port: int) -> Iterator[tuple[Intake, MusicVendor]]:
    began = time.monotonic()
    _print("Starting a stand-in for the music API")
    with MusicVendor(folder, tokens=[TOKEN]) as vendor:
        vendor.task_seconds = TASK_SECONDS
        vendor.latency = lambda: random.uniform(*LATENCY)  # noqa: S311 - spreads answers, guards nothing
        _print("Starting SQS, Lambda, DynamoDB and Secrets Manager on this machine")
        with Cloud(folder, vendor.trust, port) as cloud, uninterrupted_exit():
            vendor.webhook_transport = local_cloud(cloud.port, cloud.ca_bundle)
            _print(f"Deploying {TEMPLATE.name}")
            intake = Intake.deployed(cloud, STACK, vendor.origin, TOKEN, PARAMETERS)
            _print(f"Up after {time.monotonic() - began:.1f} s on {cloud.endpoint_url}\n")
            yield intake, vendor


def _send_and_track(intake: Intake, vendor: MusicVendor) -> tuple[Sequence[Tracked], bool]:
    """Sends every case and shows its progress. The second value says whether all ended as expected."""
    known, made, unpaid = list(samples()), list(generated()), list(while_out_of_credits())
    events = Events(intake)
    with display(len(known) + len(made) + len(unpaid)) as shown:
        progress = Progress(intake, vendor, shown)
        shown.print_line(f"Sending the {len(known)} samples of events/")
        progress.send(known)
        progress.wait()
        shown.print_line(f"Sending {len(made)} generated requests")
        progress.send(made)
        # Until the queue is empty: a function that knows of a pause holds back what is still there for a minute.
        progress.wait()
        shown.print_line(f"Sending {len(unpaid)} requests without credits, which pauses the intake for a while")
        _send_without_credits(intake, vendor, progress, unpaid)
        progress.wait()
    tracked = progress.tracked
    events.receive(until=lambda: not without_event(tracked, events.received), seconds=PATIENCE_FOR_EVENTS)
    kept, unkept = _recordings(intake)
    evidence = Evidence(vendor.creates, events.received, kept, unkept)
    _print("")
    for line in summary(tracked[: len(known)], tracked[len(known) :], evidence):
        _print(line)
    _print(f"\nThe recordings are in s3://{intake.stack.outputs['RecordingBucketName']}/songs/")
    return tracked, is_as_expected(tracked, evidence)


def _recordings(intake: Intake) -> tuple[int, int]:
    """How many songs have their recordings in the bucket, and how many have them not, within a while."""
    until = time.monotonic() + PATIENCE_FOR_RECORDINGS
    while True:
        keeping = [row.get("keeping") for row in intake.rows() if row["status"] == "SUCCEEDED"]
        kept = keeping.count("KEPT")
        if kept == len(keeping) or time.monotonic() > until:
            return kept, len(keeping) - kept
        time.sleep(POLL_EVERY)


def _send_without_credits(intake: Intake, vendor: MusicVendor, progress: Progress, cases: Sequence[Case]) -> None:
    """Sends the cases while the account has no credits: the first pauses the intake, the others stay on the queue.

    Ends with the balance check that ends the pause, which the schedule would make only minutes later.
    """
    vendor.credits = 0
    progress.send(cases[:1])
    wait_for_mapping(intake, "Disabled")
    progress.send(cases[1:])
    progress.update()
    vendor.credits = PLENTY_OF_CREDITS
    switch(intake, "check")


def _print_end_of_log(intake: Intake) -> None:
    end = intake.log().splitlines()[-LINES_OF_LOG:]
    print("\nThe last lines of the functions' logs:", *map(printable, end), sep="\n", file=sys.stderr)  # noqa: T201


def _stay_up(intake: Intake, vendor: MusicVendor, tracked: Sequence[Tracked]) -> None:
    _print(f"\n{commands(intake, *_a_song_in_doubt(vendor, tracked))}\n{_STAYS_UP}")
    wait_for_the_end()
    _print("Stopping everything")


def _a_song_in_doubt(vendor: MusicVendor, tracked: Sequence[Tracked]) -> tuple[str, str]:
    """A request that is IN_DOUBT although its song exists, and the task_id that the vendor would give an operator."""
    for one in tracked:
        if one.state.status == "IN_DOUBT" and one.state.creates:
            return json.loads(one.case.body)["request_id"], vendor.creates_of(one.case.song)[0].task_id
    return "REQUEST_ID", "TASK_ID"


def _print(text: str) -> None:
    print(*map(printable, text.split("\n")), sep="\n", flush=True)  # noqa: T201
