"""The stages of `make run`: bring the stack up, send and follow, sum up, and stay up for whoever sits there."""

import json
import random
import signal
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
from tests.local.intake import SHORT_WAITS, TEMPLATE, Intake
from tests.local.intake_switching import say, wait_for_mapping
from tests.local.run.cases import Case, generated, samples, while_out_of_credits
from tests.local.run.commands import commands
from tests.local.run.display import display, is_terminal
from tests.local.run.events import Events
from tests.local.run.progress import Progress, Tracked
from tests.local.run.signals import undisturbed_end
from tests.local.run.summary import Evidence, is_as_it_should_be, submission_unpublished, summary
from tests.local.vendor.music_vendor import PLENTY_OF_CREDITS, MusicVendor
from tests.local.webhooks.transport import local_cloud

STACK: Final = "song-intake"
TOKEN: Final = "a-token-for-this-run"
# Patient with a machine that is busy, with a song that is 1.5 s late on purpose, and with a webhook that waits for us.
PARAMETERS: Final = {
    **SHORT_WAITS,
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
    "ResolutionWindowSeconds": "8",
}
LATENCY: Final = (0.1, 0.6)  # seconds from a song to its answer: at least, at most
TASK_SECONDS: Final = 1.0  # from a song's create to its end
PATIENCE_FOR_EVENTS: Final = 10.0  # seconds
LINES_OF_LOG: Final = 20


class Failure(Exception):
    """The run cannot go on; the text says why."""


def run(port: int) -> bool:
    """Whether everything ended as expected. Raises PortTaken and Failure."""
    try:
        with tempfile.TemporaryDirectory(prefix="song-intake-") as folder, _up(Path(folder), port) as (intake, vendor):
            tracked, is_good = _send_and_follow(intake, vendor)
            if not is_good:
                _show_the_end_of_the_log(intake)
            if is_terminal():
                _stay_up(intake, vendor, tracked)
            return is_good
    except (CloudFailed, DeploymentFailed, TimeoutError, BotoCoreError, ClientError) as failure:
        raise Failure(str(failure)) from failure


@contextmanager
def _up(folder: Path, port: int) -> Iterator[tuple[Intake, MusicVendor]]:
    began = time.monotonic()
    _say("Starting a stand-in of the music API")
    with MusicVendor(folder, tokens=[TOKEN]) as vendor:
        vendor.task_seconds = TASK_SECONDS
        vendor.latency = lambda: random.uniform(*LATENCY)  # noqa: S311 - spreads answers, guards nothing
        _say("Starting SQS, Lambda, DynamoDB and Secrets Manager on this machine")
        trust = {"SSL_CERT_FILE": str(vendor.ca_bundle)}
        with Cloud(folder, trust, port) as cloud, undisturbed_end():
            vendor.webhook_transport = local_cloud(cloud.port, cloud.ca_bundle)
            _say(f"Deploying {TEMPLATE.name}")
            intake = Intake.deployed(cloud, STACK, vendor.origin, TOKEN, PARAMETERS)
            _say(f"Up after {time.monotonic() - began:.1f} s on {cloud.endpoint_url}\n")
            yield intake, vendor


def _send_and_follow(intake: Intake, vendor: MusicVendor) -> tuple[Sequence[Tracked], bool]:
    """Sends everything, shows it on its way, and says whether all of it ended as expected."""
    known, made_up, unpaid = list(samples()), list(generated()), list(while_out_of_credits())
    events = Events(intake)
    with display(len(known) + len(made_up) + len(unpaid)) as shown:
        progress = Progress(intake, vendor, shown)
        shown.say(f"Sending the {len(known)} samples of events/")
        progress.send(known)
        progress.follow()
        shown.say(f"Sending {len(made_up)} generated requests")
        progress.send(made_up)
        progress.follow()
        shown.say(f"Sending {len(unpaid)} while the account has no credits: the intake is paused until it has some")
        _run_dry(intake, vendor, progress, unpaid)
        progress.follow()
    tracked = progress.tracked
    events.listen(until=lambda: not submission_unpublished(tracked, events.record_outcome), seconds=PATIENCE_FOR_EVENTS)
    evidence = Evidence(vendor.creates, events.record_outcome)
    _say("")
    for line in summary(tracked[: len(known)], tracked[len(known) :], evidence):
        _say(line)
    return tracked, is_as_it_should_be(tracked, evidence)


def _run_dry(intake: Intake, vendor: MusicVendor, progress: Progress, cases: Sequence[Case]) -> None:
    """Sends these while there are no credits: the first finds it out, and the others wait untouched on their queue.

    Ends with the look that ends the pause, for which nobody here waits five minutes.
    """
    vendor.credits = 0
    progress.send(cases[:1])
    wait_for_mapping(intake, "Disabled")
    progress.send(cases[1:])
    progress.look()
    vendor.credits = PLENTY_OF_CREDITS
    say(intake, "check")


def _show_the_end_of_the_log(intake: Intake) -> None:
    end = intake.log().splitlines()[-LINES_OF_LOG:]
    print("\nThe end of the functions' log:", *end, sep="\n", file=sys.stderr)  # noqa: T201


def _stay_up(intake: Intake, vendor: MusicVendor, tracked: Sequence[Tracked]) -> None:
    _say(f"\n{commands(intake, *_a_song_in_doubt(vendor, tracked))}\nThe stack stays up until Ctrl-C.")
    while True:
        signal.pause()


def _a_song_in_doubt(vendor: MusicVendor, tracked: Sequence[Tracked]) -> tuple[str, str]:
    """A request whose song only the music API knows of, and the task_id that an operator would hear there."""
    for one in tracked:
        if one.state.status == "IN_DOUBT" and one.state.creates:
            return json.loads(one.case.body)["request_id"], vendor.creates_of(one.case.song)[0].task_id
    return "REQUEST_ID", "TASK_ID"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
