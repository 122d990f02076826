"""The settings of keep_recording, and its construction from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.app.environment import CaBundle, Seconds, Settings
from song_intake.app.parts import dead_letters, notifier
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.ledger.keeping import KeepingStore
from song_intake.ledger.table import LedgerTable
from song_intake.outgoing.recording_orders import RecordingOrders
from song_intake.outgoing.recording_report import RecordingReport
from song_intake.recordings.bucket import Bucket
from song_intake.recordings.copier import RecordingCopier
from song_intake.recordings.source import Sources
from song_intake.work.batch import ANSWER_MARGIN_SECONDS, Batch
from song_intake.work.keep_work import KeepWork
from song_intake.work.keeping import LEAST_SECONDS, Copier, RecordingKeeper

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry

PART_SECONDS = 30.0
"""The time-out of one part of a recording, or of S3's work on all parts. Our choice: a part of 5 MiB beside a download,
on a seventh of a core, and S3 may take some seconds to put the parts together. If the invocation ends meanwhile, the
next one copies the recording again.
"""

_BYTES_A_MIB = 1024 * 1024

FORMATS = {"m4a": False, "m4a+wav": True}
"""The values of KEEP_RECORDINGS, and whether each asks for the WAV files too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSettings(Settings):
    """Times are in seconds."""

    signing_key_secret_arn: str
    ledger_table: str
    keep_days: int
    song_recordings_queue_url: str
    recording_dead_letter_queue_url: str
    event_bus_name: str
    recording_bucket: str
    recording_hosts: str
    largest_recording_mib: int
    keep_recordings: str
    settle_margin: Seconds
    function_timeout: Seconds
    ca_bundle: CaBundle

    @property
    def aws_seconds(self) -> float:
        """The seconds in which an outcome must be recorded: what the margin leaves besides the response to Lambda."""
        return self.settle_margin - ANSWER_MARGIN_SECONDS

    def rules(self) -> Mapping[str, bool]:
        """Without the first, no copy would ever begin."""
        return {
            f"SETTLE_MARGIN_SECONDS must leave {LEAST_SECONDS:g} seconds of FUNCTION_TIMEOUT_SECONDS, "
            "or no copy would ever begin": self.settle_margin + LEAST_SECONDS < self.function_timeout,
            f"KEEP_RECORDINGS must be one of {', '.join(FORMATS)}": self.keep_recordings in FORMATS,
        }


def keep_recording(settings: KeepSettings, aws: Clients, telemetry: Telemetry, copier: Copier | None = None) -> Batch:
    """Build the function. copier: a replacement for the one that the settings describe."""
    sqs = aws.client("sqs")
    proofs = Proofs(SigningKeys(aws.client("secretsmanager"), settings.signing_key_secret_arn))
    keeper = RecordingKeeper(
        store=KeepingStore(LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)),
        copier=copier or _copier(settings, aws),
        orders=RecordingOrders(sqs, settings.song_recordings_queue_url),
        notifier=notifier(aws, settings.event_bus_name, telemetry),
        report=RecordingReport(telemetry.metrics),
        with_wav=FORMATS[settings.keep_recordings],
        settle_margin=settings.settle_margin,
    )
    letters = dead_letters(aws, settings.recording_dead_letter_queue_url, proofs, telemetry)
    work = KeepWork(keeper=keeper, dead_letters=letters, proofs=proofs)
    return Batch(work=work, sqs=sqs, queue_url=settings.song_recordings_queue_url, telemetry=telemetry)


def _copier(settings: KeepSettings, aws: Clients) -> RecordingCopier:
    return RecordingCopier(
        sources=Sources(settings.recording_hosts.split(",")),
        bucket=Bucket(aws.client("s3"), settings.recording_bucket),
        tls=aws.tls,
        largest_bytes=settings.largest_recording_mib * _BYTES_A_MIB,
    )
