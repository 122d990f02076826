"""The ledger's table as the template defines it, as far as the code depends on it."""

from typing import TYPE_CHECKING

from song_intake.ledger.resolving import INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_ledger_table(dynamodb: "DynamoDBClient", name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "request_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("request_id", "doubt", "updated_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": "doubt", "KeyType": "HASH"},
                    {"AttributeName": "updated_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
