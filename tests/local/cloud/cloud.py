"""The AWS account on this machine: one ministack process, its own folder, nothing left behind."""

import contextlib
import http.client
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from tests.local.cloud.aws_clients import REGION, AwsClients
from tests.local.cloud.function_package import RUNTIME
from tests.local.cloud.process_group import ProcessGroup
from tests.local.cloud.processes import Process
from tests.local.waiting import wait_for

HOST = "127.0.0.1"
PROJECT = Path(__file__).parents[3]
SERVER = [sys.executable, "-m", "tests.local.cloud.ministack_server"]
SECONDS_TO_START = 30.0
LINES_OF_LOG_IN_AN_ERROR = 20


class PortTaken(Exception):
    """Another program listens where the cloud was to be."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} of {HOST} is taken: end the program that listens there, or choose another port")


class CloudFailed(Exception):
    """The cloud's process ended by itself; carries the end of its log."""


class Cloud:
    """SQS, Lambda, DynamoDB, Secrets Manager, IAM, CloudFormation, S3 and logs over TLS on one port of 127.0.0.1.

    Entering it starts it. Leaving it ends every process and removes its folder, also after an exception or Ctrl-C;
    should this process be killed, the cloud ends by itself. The function processes inherit `extra_environment`. Roles
    and policies count, as on AWS. The state lives in memory.
    """

    def __init__(
        self, folder: Path, extra_environment: Mapping[str, str] | None = None, port: int | None = None
    ) -> None:
        self._parent_folder = folder
        self._extra_environment = extra_environment or {}
        self._wanted_port = port

    def __enter__(self) -> Self:
        self.port = _free_port(self._wanted_port)
        self.endpoint_url = f"https://{HOST}:{self.port}"
        with contextlib.ExitStack() as started:
            folder = tempfile.TemporaryDirectory(prefix="cloud-", dir=self._parent_folder)
            self._folder = Path(started.enter_context(folder))
            self._certificate, self.ca_bundle = _issue_certificate(self._folder)
            self._log = self._folder / "cloud.log"
            clients = started.enter_context(contextlib.closing(AwsClients(self.endpoint_url, self.ca_bundle)))
            self.client = clients.client
            self._processes = ProcessGroup(SERVER, self._environment(), PROJECT, self._log)
            started.callback(self._processes.end)
            wait_for(self._is_ready, "the local cloud to start", SECONDS_TO_START)
            self._started = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.close()

    def reset(self) -> None:
        """Forgets every resource and ends the function processes."""
        self._call("POST", "/_ministack/reset")

    def function_process_ids(self) -> list[int]:
        """The Lambda runtimes that run now, each one execution environment: a test kills them to see a function die."""
        return [member.process_id for member in self.function_processes()]

    def function_processes(self) -> list[Process]:
        """The same, with their states."""
        return [member for member in self._processes.members() if RUNTIME.name in member.command]

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        """Nothing of ours but PATH: the functions inherit it all, and must find this cloud and no other."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "STATE_DIR": str(self._folder),
            "S3_DATA_DIR": str(self._folder),
            "TZ": "UTC",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "MINISTACK_SSL_CERT": str(self._certificate),
            "MINISTACK_SSL_KEY": str(self._certificate),
            "USE_SSL": "1",
            "AUTH": "true",
            # Listeners that nobody here needs, on fixed ports and every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # ministack clears away the containers it finds: not on somebody's machine.
            "DOCKER_HOST": f"unix://{self._folder}/no-docker.sock",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            **self._extra_environment,
        }

    def _is_ready(self) -> bool:
        if not self._processes.is_running:
            end_of_log = "\n".join(self.log_text().splitlines()[-LINES_OF_LOG_IN_AN_ERROR:])
            raise CloudFailed(f"the local cloud ended while it started:\n{end_of_log}")
        try:
            self._call("GET", "/_ministack/ready")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _call(self, method: str, path: str) -> None:
        context = ssl.create_default_context(cafile=self.ca_bundle)
        connection = http.client.HTTPSConnection(HOST, self.port, context=context, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"{method} {path} answered {answer.status}")
        finally:
            connection.close()


def _free_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        # A port whose last connections linger is free; one that somebody listens on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise PortTaken(wanted or 0) from error
        port: int = probe.getsockname()[1]
        return port


def _issue_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate with its key for this machine, and the bundle of the authority that signed it."""
    authority = trustme.CA()
    certificate, bundle = folder / "cloud.pem", folder / "ca.pem"
    authority.issue_cert(HOST, "localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(bundle))
    return certificate, bundle
