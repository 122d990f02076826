"""boto3 clients of the local cloud, as the administrator of its account or of another one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

REGION = "us-east-1"
# The administrator that ministack knows, key id and secret alike.
ADMINISTRATOR = "test"
Service: TypeAlias = Literal[
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "events",
    "iam",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "stepfunctions",
]


class AwsClients:
    """One client a service, made at its first use and closed together."""

    def __init__(self, endpoint_url: str, ca_bundle: Path, key: str = ADMINISTRATOR) -> None:
        """key: the id of an account, which is the key of its administrator."""
        self.endpoint_url = endpoint_url
        self._ca_bundle = ca_bundle
        self._session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=REGION)
        self._clients: dict[str, BaseClient] = {}

    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> "SFNClient": ...
    @overload
    def client(self, service: Literal["iam"]) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["cloudwatch", "scheduler", "sns"]) -> Any: ...  # a few calls: not worth stubs
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: Service) -> object:
        """The client of `service`. Safe to use from several threads; ask for it on one."""
        if service not in self._clients:
            made = self._session.client(
                service,
                endpoint_url=self.endpoint_url,
                verify=str(self._ca_bundle),
                # No proxy of the environment may come between two ends of this machine.
                config=Config(proxies={}, max_pool_connections=32),
            )
            self._clients[service] = cast("BaseClient", made)
        return self._clients[service]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
