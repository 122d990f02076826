"""The clients of the AWS services that the functions call, and the certificate authorities that all clients trust."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, overload

import boto3
import botocore
import certifi
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import get_session

from song_intake.aws.transport import AwsTransport

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

Service = Literal["dynamodb", "events", "lambda", "secretsmanager", "sqs", "stepfunctions"]

# Made by the build of the dependencies layer, beside botocore: its data for these services alone (trim_models.py).
MODELS = Path(botocore.__file__).parents[1] / "aws_models"


# Made by the same build, beside certifi: its bundle, one file per authority (hash_authorities.py).
AUTHORITIES = Path(certifi.__file__).parents[1] / "authorities"


def ssl_context(ca_bundle: str | None, authorities: Path = AUTHORITIES) -> ssl.SSLContext:
    """Trusts the named bundle, or certifi's authorities if none is named.

    Use one context for all connections: reading the bundle is most of a handshake.
    """
    if ca_bundle is None and authorities.is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


class Clients(Protocol):
    """What a function is built with: a client per service, and the context of all its connections."""

    @property
    def tls(self) -> ssl.SSLContext: ...

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> SFNClient: ...


class AwsClients:
    """Clients that send over one transport. Make them on one thread; many threads may then use each.

    tls: trusted besides the bundle that AWS_CA_BUNDLE names.
    seconds: for recording an outcome. Two attempts of a call, even the slowest, take half of it, since a dead letter
    may have to follow.
    connections: how many to each service are kept open.
    """

    def __init__(self, tls: ssl.SSLContext, seconds: float, connections: int, models: Path = MODELS) -> None:
        session = get_session()
        if models.is_dir():
            # Instead of botocore's own data: a quarter of a cold start, and 12 MiB.
            loader = Loader(extra_search_paths=[str(models)], include_default_search_paths=False)
            session.register_component("data_loader", loader)
        if bundle := session.get_config_variable("ca_bundle"):
            tls.load_verify_locations(bundle)
        self.tls = tls
        timeout = seconds / 8
        transport = AwsTransport(tls, connect_timeout=timeout, read_timeout=timeout, connections=connections)
        # The stubs expect handlers that return nothing.
        session.register("before-send", transport.send)  # type: ignore[arg-type]
        self._session = boto3.Session(botocore_session=session)
        self._clients: dict[Service, object] = {}
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            # botocore would compose a user agent of 16 parts for every call, and check the form of parameters that the
            # tests have seen the services accept: a quarter of a call's CPU.
            user_agent="song-intake",
            parameter_validation=False,
        )

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> SFNClient: ...
    def client(self, service: Service) -> object:
        """The one client of this service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=self._config)
        return self._clients[service]
