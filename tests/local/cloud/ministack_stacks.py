"""CloudFormation: the properties of our template that ministack passes over."""

import functools
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, secretsmanager
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Creation = tuple[str, dict[str, str]]
Create = Callable[[str, Properties, str], Creation]
Delete = Callable[[str, Properties], None]


def mend() -> None:
    table = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    table["create"] = _sets_expiry_and_recovery(table["create"])
    function = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    function["create"] = _has_an_environment_of_texts(function["create"])
    secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    secret["create"] = _refers_to_the_arn(_is_empty_without_a_value(secret["create"]))
    secret["delete"] = _deletes_by_arn(secret["delete"])
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
        "create": _a_saved_query,
        "update": lambda physical_id, _old, _new, _stack_name: (physical_id, {}),
        "delete": lambda _physical_id, _properties: None,
    }


def _a_saved_query(_logical_id: str, _properties: Properties, _stack_name: str) -> Creation:
    """A query of Logs Insights, which ministack does not know as a resource. Nothing here runs it."""
    return str(uuid.uuid4()), {}


def _sets_expiry_and_recovery(create: Create) -> Create:
    """A table has the TimeToLiveSpecification and the PointInTimeRecoverySpecification that the template gives it."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        created = create(logical_id, properties, stack_name)
        request = {"TableName": created[0], **properties}
        if "TimeToLiveSpecification" in properties:
            dynamodb._update_ttl(request)
        if "PointInTimeRecoverySpecification" in properties:
            dynamodb._update_continuous_backups(request)
        return created

    return creating


def _has_an_environment_of_texts(create: Create) -> Create:
    """The number that a mapping of the template holds is a text once it is the value of a variable."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        environment = properties.get("Environment", {})
        variables = {name: str(value) for name, value in environment.get("Variables", {}).items()}
        return create(logical_id, {**properties, "Environment": {**environment, "Variables": variables}}, stack_name)

    return creating


def _is_empty_without_a_value(create: Create) -> Create:
    """A secret without SecretString and GenerateSecretString has no version, so that GetSecretValue finds none.

    ministack gives it an empty text, which Secrets Manager does not accept.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
    """

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        created = create(logical_id, properties, stack_name)
        if not {"SecretString", "GenerateSecretString"} & properties.keys():
            secretsmanager._secrets[created[0]]["Versions"].clear()
        return created

    return creating


def _refers_to_the_arn(create: Create) -> Create:
    """`!Ref` of a secret is its ARN (resource reference, "Return values"), so that a policy can name it."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        _name, attributes = create(logical_id, properties, stack_name)
        return attributes["Id"], attributes

    return creating


def _deletes_by_arn(delete: Delete) -> Delete:
    @functools.wraps(delete)
    def deleting(arn: str, properties: Properties) -> None:
        secrets: dict[str, dict[str, str]] = secretsmanager._secrets
        name = next((name for name, secret in secrets.items() if secret["ARN"] == arn), arn)
        delete(name, properties)

    return deleting
