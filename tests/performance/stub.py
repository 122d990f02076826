"""Starts the process of the stub, and controls it."""

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import certifi

from tests.performance.stub_record import Record

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class StubControl:
    """Sends commands to the stub, outside of what is measured."""

    port: int

    def latency(self, milliseconds: int) -> None:
        """Set the duration of the following creates."""
        self._get(f"/stub/latency/{milliseconds}")

    def record(self) -> Record:
        """The requests since the last call of this method."""
        return Record.of(self._get("/stub/record"))

    def cpu(self) -> float:
        """The CPU seconds of the stub so far; clears the record."""
        return float(self._get("/stub/record")["cpu"])

    def _get(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


class StubProcess:
    """Simulates the music API and AWS within its `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ca_bundle = folder / "full-size-bundle.pem"
        """The CA certificates of certifi and of the stub, because in production the bundle is as large."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.performance.stub_server", str(self._folder)]
        self._process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )
        assert self._process.stdout
        self.plain_port, self.tls_port = map(int, self._process.stdout.readline().split())
        self.control = StubControl(self.plain_port)
        authority = (self._folder / "ca.pem").read_text()
        self.ca_bundle.write_text(Path(certifi.where()).read_text() + authority)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
