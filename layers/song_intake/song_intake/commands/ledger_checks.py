"""Checks of the batched writes of the ledger: whether DynamoDB accepts them, and whether submit_song may make them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.checkup import DENIED, Finding, failed, passed, skipped
from song_intake.commands.deployed import in_a_day, new_doctor_id
from song_intake.domain.status import Status
from song_intake.ledger.batches import LedgerBatches
from song_intake.ledger.table import LedgerTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from song_intake.commands.deployed import DeployedStack
    from song_intake.ledger.row import Values

_DAYS_OF_METRICS = 7


def check_batched_writes(stack: DeployedStack) -> Finding:
    """Write a row by the statements of submit_song, have two of them refused, and remove the row."""
    recorded = _Recorded(stack.dynamodb)
    refusals: list[str] = []
    table = LedgerTable(cast("DynamoDBClient", recorded), stack.table, keep_days=1)
    batches = LedgerBatches(table, refusals.append)
    request_id, owner = new_doctor_id("batch"), uuid.uuid4().hex
    claim: Values = {
        "status": {"S": Status.SUBMITTING},
        "owner": {"S": owner},
        "lease_until": {"N": "0"},
        "fingerprint": {"S": "doctor"},
        "expires_at": {"N": in_a_day()},
    }
    with _own_row_removed(stack, request_id):
        accepted = [batches.insert(request_id, claim), batches.record_task(request_id, owner, "doctor")]
        refused = [batches.insert(request_id, claim), batches.record_task(request_id, "another owner", "doctor")]
        twice = _one_item_twice(stack, request_id)
    codes = recorded.codes
    if not all(accepted):
        return failed(
            f"DynamoDB refused a batched write ({', '.join(refusals or codes)}): songs are submitted by single writes "
            "meanwhile; report it to the project"
        )
    if any(refused) or refusals:
        return failed(f"a write against its condition gave {', '.join(codes) or 'no code'}: report it to the project")
    return passed(
        "an INSERT and an UPDATE of an own row were accepted, and the row was removed",
        f"an INSERT of a row that exists is refused with {codes[0]}, an UPDATE against its condition with {codes[1]}",
        f"two statements on one item in one call: {twice}",
    )


class _Recorded:
    """A DynamoDB client that records the codes of refused statements."""

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self._dynamodb = dynamodb
        self.codes: list[str] = []

    def batch_execute_statement(self, **call: Any) -> object:
        try:
            response = self._dynamodb.batch_execute_statement(**call)
        except AWS_FAILURES as failure:
            self.codes.append(code_of(failure))
            raise
        errors = [one["Error"] for one in response["Responses"] if "Error" in one]
        self.codes += [error.get("Code", "no code") for error in errors]
        return response


def _one_item_twice(stack: DeployedStack, request_id: str) -> str:
    text = f'UPDATE "{stack.table}" SET "detail" = ? WHERE "request_id" = ?'  # nosec B608 # noqa: S608 - our table
    try:
        response = stack.dynamodb.batch_execute_statement(
            Statements=[{"Statement": text, "Parameters": [{"S": word}, {"S": request_id}]} for word in ("a", "b")]
        )
    except ClientError as failure:
        return f"the call is refused ({code_of(failure)})"
    codes = [one["Error"].get("Code", "no code") if "Error" in one else "accepted" for one in response["Responses"]]
    return ", ".join(codes)


@contextmanager
def _own_row_removed(stack: DeployedStack, request_id: str) -> Iterator[None]:
    """Delete the doctor's row at the end, also after a failure."""
    try:
        yield
    finally:
        stack.dynamodb.delete_item(TableName=stack.table, Key={"request_id": {"S": request_id}})


def check_role(stack: DeployedStack) -> Finding:
    """Whether the role of submit_song allows batched writes, and whether DynamoDB refused some in the last days."""
    name = stack.outputs["SubmitSongFunctionName"]
    role = stack.functions.get_function_configuration(FunctionName=name)["Role"]
    table = stack.dynamodb.describe_table(TableName=stack.table)["Table"]["TableArn"]
    try:
        results = stack.session.client("iam").simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"],
            ResourceArns=[table],
            ContextEntries=[
                {
                    "ContextKeyName": "dynamodb:LeadingKeys",
                    "ContextKeyValues": [new_doctor_id("role")],
                    "ContextKeyType": "stringList",
                }
            ],
        )["EvaluationResults"]
    except ClientError as failure:
        if code_of(failure) in DENIED:
            return skipped(f"you may not simulate the role's policy ({code_of(failure)}): iam:SimulatePrincipalPolicy")
        raise
    denied = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        return failed(
            f"the role of submit_song does not allow {', '.join(denied)}: deploy the template of this release"
        )
    counts = {metric: _sum_of(stack, metric) for metric in ("Submitted", "BatchedWritesRefused")}
    return passed(
        "submit_song may make batched and single writes of a request's row",
        f"in {_DAYS_OF_METRICS} days, {counts['Submitted']} songs were submitted by a function under its leading-keys "
        f"condition, and {counts['BatchedWritesRefused']} batched writes were refused other than by their condition",
    )


def _sum_of(stack: DeployedStack, metric: str) -> int:
    until = datetime.now(UTC)
    points = stack.session.client("cloudwatch").get_metric_statistics(
        Namespace="SongIntake",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": stack.name}],
        StartTime=until - timedelta(days=_DAYS_OF_METRICS),
        EndTime=until,
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    total: float = sum(point["Sum"] for point in points)
    return round(total)
