"""The clients of the AWS services that the functions call."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import botocore
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import get_session

from song_intake.aws_transport import AwsTransport

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


class AwsClients:
    """Makes clients that send over one transport. Make them on one thread; each may then be used by many.

    seconds: what there is to record an outcome. Two tries of a call, even the slowest, take half of it, since a dead
    letter may have to follow.
    tls: whom they trust, and besides whoever AWS_CA_BUNDLE names.
    connections: how many to a service are kept open.
    """

    def __init__(self, tls: ssl.SSLContext, seconds: float, connections: int, models: Path = MODELS) -> None:
        # botocore's session, not boto3's: no call needs what boto3 adds, and importing it costs 10 % of a cold start.
        self._session = get_session()
        self._made: dict[Service, object] = {}
        if models.is_dir():
            # Instead of botocore's own data: a quarter of a cold start, and 12 MiB.
            loader = Loader(extra_search_paths=[str(models)], include_default_search_paths=False)
            self._session.register_component("data_loader", loader)
        if bundle := self._session.get_config_variable("ca_bundle"):
            tls.load_verify_locations(bundle)
        self.tls = tls
        timeout = seconds / 8
        transport = AwsTransport(tls, connect_timeout=timeout, read_timeout=timeout, connections=connections)
        # The stubs know of handlers that answer nothing.
        self._session.register("before-send", transport.send)  # type: ignore[arg-type]
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            # botocore would compose a name of 16 parts anew for every call, and check the form of parameters that the
            # tests have seen the services take: a quarter of a call's CPU.
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
        if service not in self._made:
            self._made[service] = self._session.create_client(service, config=self._config)
        return self._made[service]
