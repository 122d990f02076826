"""Starts the measuring processes, one at a time, and collects their samples."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.performance.designs import MODULES, Design
from tests.performance.floor import one_api_call
from tests.performance.samples import Plan, Sample, Samples
from tests.performance.song_batch import batch_of, titles_of
from tests.performance.stub import PROJECT, StubProcess
from tests.performance.surroundings import SOURCES, environment
from tests.performance.work import check

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Clients:
    stub: StubProcess
    folder: Path

    def warm(self, plan: Plan) -> Samples:
        """Measure all designs in one process, in turns, without TLS."""
        command = ["-m", "tests.performance.warm_client"]
        surroundings = environment(
            self.stub, tls=False, batch_size=plan.batch_size, creates_per_minute=plan.creates_per_minute
        )
        result = self._run(command, asdict(plan), surroundings)
        return Samples.of(result)

    def first(
        self, designs: Sequence[Design], number: int, batches: int, latency: int, shipped: Sequence[Path] = ()
    ) -> Iterator[Sample]:
        """Over TLS: one bare call, then a fresh process for each design, with the time of its first batch and its peak
        memory.

        shipped: the folders of the built handler and layers; if empty, the sources are used.
        """
        self.stub.control.latency(latency)
        yield self._api_call(number, latency)
        for design in designs:
            events = [batch_of(10) for _ in range(batches)]
            command = [str(HERE / "first_batch.py"), MODULES[design]]
            self.stub.control.record()
            path = shipped if design is Design.OURS else ()
            result = self._run(command, events, environment(self.stub, tls=True, batch_size=10), path)
            titles = [title for event in events for title in titles_of(event)]
            check(design, titles, self.stub.control.record())
            yield Sample(design, latency, number, **result)

    def _api_call(self, number: int, latency: int) -> Sample:
        song = json.loads(batch_of(1)["Records"][0]["body"])
        tls = ssl.create_default_context(cafile=self.stub.ca_bundle)
        seconds = one_api_call(f"https://127.0.0.1:{self.stub.tls_port}", tls, song)
        return Sample(Design.API_CALL, latency, number, wall=seconds, cpu=0.0)

    def _run(
        self, command: Sequence[str], arguments: object, surroundings: dict[str, str], shipped: Sequence[Path] = ()
    ) -> Any:
        request, response = self.folder / "request.json", self.folder / "response.json"
        request.write_text(json.dumps(arguments))
        path = {"PYTHONPATH": ":".join(map(str, shipped or (PROJECT, *SOURCES)))}
        # -S: only the built files are on the path, not the packages of this environment.
        run = [sys.executable, *(["-S"] if shipped else []), *command, str(request), str(response)]
        # The log is discarded: on Lambda, too, a log line only costs the function the time to write it.
        subprocess.run(run, env=surroundings | path, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
        return json.loads(response.read_text())
