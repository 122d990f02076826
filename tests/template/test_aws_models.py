"""The part of botocore's data in the layer: all that the functions call, and unchanged."""

import runpy
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any, cast, get_args

import pytest
from botocore.loaders import Loader

from song_intake.aws.clients import AwsClients, Service
from tests.template.built_layer import source_of
from tests.template.test_least_privilege import GRANTS

SCRIPT = runpy.run_path(str(source_of("DependenciesLayer") / "trim_models.py"))
OPERATIONS: dict[str, set[str]] = SCRIPT["OPERATIONS"]
IAM_PREFIXES = {"stepfunctions": "states"}
# As for the commands on an operator's machine, which has all of boto3.
NO_FOLDER = Path("/no/such/folder")
REGIONS = (("us-east-1", "false"), ("cn-north-1", "false"), ("us-gov-west-1", "true"), ("xx-future-1", "false"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aws_models")
    SCRIPT["write"](folder)
    return folder


@cache
def clients(models: Path, region: str = "us-east-1", fips: str = "false") -> dict[str, Any]:
    """A client of each service. It reads the data in the folder, or botocore's own without one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", region)
        patch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
        aws = cast("Any", AwsClients(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 1, 1, models))
        return {service: aws.client(service) for service in OPERATIONS}


def permissions_of(service: str, operation: str) -> set[str]:
    """The IAM actions that permit an operation. A batch of messages needs the permission of the single one."""
    if operation == "BatchExecuteStatement":
        return {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"}
    if operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        return {"s3:PutObject"}
    return {f"{IAM_PREFIXES.get(service, service)}:{operation.removesuffix('Batch')}"}


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_every_operation_is_permitted_to_some_function(service: str) -> None:
    # That the functions call no other operation is seen by the integration tests: their clients have only these.
    permitted = {action for grants in GRANTS.values() for action, _ in grants}
    assert [name for name in OPERATIONS[service] if not permissions_of(service, name) <= permitted] == []


def test_the_services_are_those_that_have_clients() -> None:
    assert set(OPERATIONS) == set(get_args(Service))


@pytest.mark.parametrize(("region", "fips"), REGIONS)
def test_a_client_finds_the_endpoint_that_botocore_would(region: str, fips: str, models: Path) -> None:
    ours, theirs = (
        {service: (client.meta.endpoint_url, client.meta.partition) for service, client in made.items()}
        for made in (clients(models, region, fips), clients(NO_FOLDER, region, fips))
    )
    assert ours == theirs


@pytest.mark.parametrize(("service", "operation"), [(s, o) for s, names in OPERATIONS.items() for o in sorted(names)])
def test_an_operation_is_the_same_as_in_botocore(service: str, operation: str, models: Path) -> None:
    ours, theirs = (
        made[service].meta.service_model.operation_model(operation) for made in (clients(models), clients(NO_FOLDER))
    )
    assert (ours.http, ours.auth_type, ours.metadata) == (theirs.http, theirs.auth_type, theirs.metadata)
    assert _expanded(ours.input_shape) == _expanded(theirs.input_shape)
    assert _expanded(ours.output_shape) == _expanded(theirs.output_shape)
    assert [_expanded(error) for error in ours.error_shapes] == [_expanded(error) for error in theirs.error_shapes]


def test_a_client_has_the_listed_operations_and_no_others(models: Path) -> None:
    dynamodb = clients(models)["dynamodb"]
    assert set(dynamodb.meta.service_model.operation_names) == OPERATIONS["dynamodb"]
    assert dynamodb.can_paginate("query")


def test_no_file_holds_documentation(models: Path) -> None:
    files = list(models.rglob("*.json"))
    assert len(files) > len(OPERATIONS)
    assert [file for file in files if '"documentation":"' in file.read_text(encoding="utf-8")] == []


def test_threads_that_ask_at_once_get_one_client(models: Path) -> None:
    aws = AwsClients(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 1, 1, models)
    together = Barrier(8)

    def ask(_number: int) -> int:
        together.wait(10)
        return id(aws.client("stepfunctions"))

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(8) as threads:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        assert len(set(threads.map(ask, range(8)))) == 1


def test_without_the_folder_botocore_uses_its_own_data() -> None:
    whole = Loader().load_service_model("sqs", "service-2")["operations"]
    assert set(clients(NO_FOLDER)["sqs"].meta.service_model.operation_names) == set(whole)


def _expanded(shape: Any, above: tuple[str, ...] = ()) -> Any:
    """A shape with all its members. A shape that contains itself is expanded once."""
    if shape is None or shape.name in above:
        return shape and shape.name
    parts = [shape.members] if shape.type_name == "structure" else []
    inside = {name: _expanded(member, (*above, shape.name)) for part in parts for name, member in part.items()}
    for part in ("member", "key", "value"):
        if hasattr(shape, part):
            inside[part] = _expanded(getattr(shape, part), (*above, shape.name))
    return (shape.name, shape.type_name, shape.serialization, shape.metadata, inside)
