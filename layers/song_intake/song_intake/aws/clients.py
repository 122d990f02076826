"""The AWS clients of the functions, and the certificate authorities that every connection trusts."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

import boto3
import botocore
import certifi
from botocore.config import Config
from botocore.loaders import Loader

from song_intake.aws.attempts import ATTEMPTS, attempt_seconds, retry_soon
from song_intake.aws.sdk_session import sdk_session
from song_intake.aws.transport import AwsTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

Service = Literal["dynamodb", "events", "lambda", "s3", "secretsmanager", "sqs", "stepfunctions"]

# The build of the dependencies layer writes it next to botocore: botocore's data for these services only
# (trim_models.py).
MODELS = Path(botocore.__file__).parents[1] / "aws_models"

# The same build writes it next to certifi: certifi's bundle, one file per authority (hash_authorities.py).
AUTHORITIES = Path(certifi.__file__).parents[1] / "authorities"


def ssl_context(ca_bundle: str | None, authorities: Path = AUTHORITIES) -> ssl.SSLContext:
    """A TLS context that trusts the authorities of `ca_bundle`, or certifi's if it is None.

    Use one context for all connections: reading a bundle costs 25 ms of CPU, which is most of a handshake.
    """
    if ca_bundle is None and authorities.is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


class Clients(Protocol):
    """The clients that a function is built with: one per service, and the TLS context of all connections."""

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS context of all connections."""

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> SFNClient: ...


class AwsClients:
    """Clients that share one transport. Safe to share between threads, like each of the clients.

    tls: the TLS context of all connections. The bundle that AWS_CA_BUNDLE names is added to it.
    seconds: in which an outcome must be recorded: see attempts.py, which derives the time-outs.
    connections: connections kept open per service.
    s3_seconds: the time-out of one attempt of S3, for parts of large objects; None: there is no client of S3.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        seconds: float,
        connections: int,
        models: Path = MODELS,
        *,
        s3_seconds: float | None = None,
    ) -> None:
        session = sdk_session(with_s3=s3_seconds is not None)
        if models.is_dir():
            # Loading botocore's own data would cost a quarter of a cold start, and 12 MiB.
            loader = Loader(extra_search_paths=[str(models)], include_default_search_paths=False)
            session.register_component("data_loader", loader)
        if bundle := session.get_config_variable("ca_bundle"):
            tls.load_verify_locations(bundle)
        self.tls = tls
        transport = AwsTransport(tls, timeout=attempt_seconds(seconds), connections=connections)
        # botocore calls every handler of an event, so two of them would send a request twice.
        send = transport.send if s3_seconds is None else _two_time_outs(transport, tls, s3_seconds, connections)
        # The stubs expect handlers that return nothing.
        session.register("before-send", send)  # type: ignore[arg-type]
        self._session = boto3.Session(botocore_session=session)
        self._clients: dict[Service, Any] = {}
        # botocore may use a client on many threads, but create only one at a time.
        self._creating = threading.Lock()
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # botocore would compose a user agent of 16 parts for every call, and validate parameters that the tests
            # already check: together a quarter of a call's CPU.
            user_agent="song-intake",
            parameter_validation=False,
        )

    # The callers see the types of `Clients`.
    def client(self, service: Service) -> Any:
        """The client of this service, created on first use."""
        with self._creating:
            if service not in self._clients:
                client = self._session.client(service, config=self._config)
                retry_soon(client)
                self._clients[service] = client
            return self._clients[service]


def _two_time_outs(
    transport: AwsTransport, tls: ssl.SSLContext, s3_seconds: float, connections: int
) -> Callable[..., AWSResponse]:
    """Sends the requests of S3 with a time-out of their own, and the others by `transport`."""
    of_s3 = AwsTransport(tls, timeout=s3_seconds, connections=connections)

    def send(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        return (of_s3 if event_name.startswith("before-send.s3.") else transport).send(request)

    return send
