"""The samples of all parts, and the figures that summarize them."""

from dataclasses import dataclass

from tests.performance.copying import MEBIBYTES, MEGABYTES_A_SECOND, Copying
from tests.performance.designs import Design
from tests.performance.samples import Samples
from tests.template.transformed import parameter_defaults, shipped

MIB = 1024 * 1024

# As the template ships it: the default pace, and the batch size that belongs to it.
PACE = int(parameter_defaults()["CreatesPerMinute"])
PACED_BATCH = int(shipped()["Mappings"]["Paces"][str(PACE)]["BatchSize"])

MEANINGS = {
    "batch10_wall_over_api": "warm batch of 10, without TLS: wall time over that of one bare API call",
    "batch10_cpu_over_sequential": "the same batch: CPU time of the process over that of (a)",
    "shipped_cpu_over_sequential": f"warm batch of {PACED_BATCH} at {PACE} creates a minute: CPU time over that of (a)",
    "shipped_aws_calls_a_song": "AWS calls of the function for each song of that batch; (a) makes 2",
    "batch100_wall_over_api": "warm batch of 100, without TLS (`BatchSize` 100): wall time over one bare API call",
    "first_tls_batch_wall_over_api": "first batch of 10 of a fresh process, over TLS: wall time over one bare TLS call",
    "cold_start_over_boto3": "fresh interpreter's import of the handler from the built layers, over `import boto3`",
    "peak_mib": "peak memory of a process with the built layers after five batches of 10 over TLS, in MiB",
    "paced_share_of_rate": "600 requests, 8 workers, 10 creates a second, in virtual time: share of the rate used",
    "paced_429s": "429 responses in that run",
    "copy_over_download": f"copying {MEBIBYTES} MiB to a bucket, from a host that sends {MEGABYTES_A_SECOND:g} MB/s: "
    "speed over that of the download alone",
    "copy_peak_mib": "peak memory of the process that copies, in MiB",
}


@dataclass(frozen=True, slots=True)
class Paced:
    share_of_rate: float
    answers_429: int


@dataclass(slots=True)
class Figures:
    """The samples of each part; None if it was not measured."""

    warm: Samples | None = None
    one_by_one: Samples | None = None
    """Whole batches of the designs that send one song after another, with the full latency of the music API."""
    shipped: Samples | None = None
    """At the default pace."""
    hundred: Samples | None = None
    first: Samples | None = None
    peak: Samples | None = None
    cold: Samples | None = None
    paced: Paced | None = None
    copying: Copying | None = None
    load: float = 0.0
    """The one-minute load average before the run."""
    stub_share: float = 0.0
    """CPU seconds of the stubs per second."""

    def by_key(self) -> dict[str, float]:
        """The figures by name, without those that were not measured."""
        ours, call = Design.OURS, Design.API_CALL
        figures: dict[str, float] = {}
        if self.warm:
            figures["batch10_wall_over_api"] = self.warm.ratio(ours, call, "wall")
            figures["batch10_cpu_over_sequential"] = self.warm.ratio(ours, Design.SEQUENTIAL, "cpu")
        if self.shipped:
            figures["shipped_cpu_over_sequential"] = self.shipped.ratio(ours, Design.SEQUENTIAL, "cpu")
            figures["shipped_aws_calls_a_song"] = self.shipped.median(ours, "aws_calls") / PACED_BATCH
        if self.hundred:
            figures["batch100_wall_over_api"] = self.hundred.ratio(ours, call, "wall")
        if self.first:
            figures["first_tls_batch_wall_over_api"] = self.first.ratio(ours, call, "wall")
        if self.cold:
            figures["cold_start_over_boto3"] = self.cold.ratio(ours, Design.BOTO3, "wall")
        if self.peak:
            figures["peak_mib"] = self.peak.median(ours, "peak") / MIB
        if self.paced:
            figures["paced_share_of_rate"] = self.paced.share_of_rate
            figures["paced_429s"] = self.paced.answers_429
        if self.copying:
            figures["copy_over_download"] = self.copying.share_of_download
            figures["copy_peak_mib"] = self.copying.peak / MIB
        return {name: round(value, 3) for name, value in figures.items()}

    def cpu_of_a_song(self) -> dict[str, float]:
        """CPU milliseconds a song, by the names in Measured; empty if the warm batches were not measured."""
        if not self.warm:
            return {}
        designs = {"submit_cpu_ms": Design.OURS, "one_by_one_cpu_ms": Design.SEQUENTIAL}
        return {name: round(self.warm.median(design, "cpu") * 100, 1) for name, design in designs.items()}
