"""Starts the processes that measure, one at a time, and gathers what they measured."""

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
        """One process, all designs by turns, without TLS."""
        command = ["-m", "tests.performance.warm_client"]
        told = self._run(command, asdict(plan), environment(self.stub, tls=False, batch_size=plan.batch_size))
        return Samples.of(told)

    def first(
        self, designs: Sequence[Design], number: int, batches: int, latency: int, shipped: Sequence[Path] = ()
    ) -> Iterator[Sample]:
        """A bare call, then a fresh process for each design, over TLS: its first batch, and its peak after the last.

        shipped: where this handler and all that it imports are as they ship; without it they are the sources.
        """
        self.stub.control.latency(latency)
        yield self._api_call(number, latency)
        for design in designs:
            events = [batch_of(10) for _ in range(batches)]
            command = [str(HERE / "first_batch.py"), MODULES[design]]
            self.stub.control.record()
            path = shipped if design is Design.OURS else ()
            told = self._run(command, events, environment(self.stub, tls=True, batch_size=10), path)
            titles = [title for event in events for title in titles_of(event)]
            check(design, titles, self.stub.control.record())
            yield Sample(design, latency, number, **told)

    def _api_call(self, number: int, latency: int) -> Sample:
        song = json.loads(batch_of(1)["Records"][0]["body"])
        tls = ssl.create_default_context(cafile=self.stub.ca_bundle)
        took = one_api_call(f"https://127.0.0.1:{self.stub.tls_port}", tls, song)
        return Sample(Design.API_CALL, latency, number, wall=took, cpu=0.0)

    def _run(
        self, command: Sequence[str], asked: object, surroundings: dict[str, str], shipped: Sequence[Path] = ()
    ) -> Any:
        question, answer = self.folder / "question.json", self.folder / "answer.json"
        question.write_text(json.dumps(asked))
        path = {"PYTHONPATH": ":".join(map(str, shipped or (PROJECT, *SOURCES)))}
        # -S: nothing of this environment is to be found beside what ships.
        run = [sys.executable, *(["-S"] if shipped else []), *command, str(question), str(answer)]
        # The log lines go nowhere: on Lambda, too, they cost the function their writing alone.
        subprocess.run(run, env=surroundings | path, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
        return json.loads(answer.read_text())
