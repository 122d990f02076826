"""Clients of AWS services that try once, at a closed port."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# A queue that no client reaches, whatever its endpoint.
GONE = "https://127.0.0.1:9/000000000000/no-such-queue"

_CLOSED_PORT = "https://127.0.0.1:9"
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=1, proxies={})


def _session() -> boto3.session.Session:
    return boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")


def dynamodb() -> "DynamoDBClient":
    return _session().client("dynamodb", endpoint_url=_CLOSED_PORT, config=_ONCE)


def events() -> "EventBridgeClient":
    return _session().client("events", endpoint_url=_CLOSED_PORT, config=_ONCE)


def step_functions() -> "SFNClient":
    return _session().client("stepfunctions", endpoint_url=_CLOSED_PORT, config=_ONCE)


def sqs() -> "SQSClient":
    return _session().client("sqs", endpoint_url=_CLOSED_PORT, config=_ONCE)


def secrets() -> "SecretsManagerClient":
    return _session().client("secretsmanager", endpoint_url=_CLOSED_PORT, config=_ONCE)
