from collections.abc import Iterator

from tests.template.transformed import JsonValue, outputs, parameter_defaults, properties, resources, resources_of


def test_there_is_one_table_and_its_key_is_the_request_id() -> None:
    assert list(resources_of("AWS::DynamoDB::Table")) == ["Ledger"]
    assert properties("Ledger")["KeySchema"] == [{"AttributeName": "request_id", "KeyType": "HASH"}]


def test_the_index_holds_only_the_requests_in_doubt() -> None:
    # Sparse: DynamoDB leaves out of an index the items that lack its key, and only a row in doubt has a `doubt`.
    [index] = properties("Ledger")["GlobalSecondaryIndexes"]
    assert index == {
        "IndexName": "in-doubt",
        "KeySchema": [
            {"AttributeName": "doubt", "KeyType": "HASH"},
            {"AttributeName": "updated_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }


def test_every_key_of_table_and_index_is_a_string() -> None:
    attributes = {
        found["AttributeName"]: found["AttributeType"] for found in properties("Ledger")["AttributeDefinitions"]
    }
    assert attributes == {"request_id": "S", "doubt": "S", "updated_at": "S"}


def test_the_ledger_is_paid_for_on_demand() -> None:
    assert properties("Ledger")["BillingMode"] == "PAY_PER_REQUEST"


def test_the_ledger_is_encrypted_and_can_be_restored_to_any_moment() -> None:
    assert properties("Ledger")["SSESpecification"] == {"SSEEnabled": True}
    assert properties("Ledger")["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_ledger_deletes_rows_by_expires_at() -> None:
    assert properties("Ledger")["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_ledger_is_protected_unless_its_protection_is_switched_off() -> None:
    assert parameter_defaults()["DeletionProtection"] == "true"
    assert properties("Ledger")["DeletionProtectionEnabled"] is True
    assert properties("Ledger", DeletionProtection="false")["DeletionProtectionEnabled"] is False


def test_the_ledger_outlives_its_stack() -> None:
    ledger = resources()["Ledger"]
    assert (ledger["DeletionPolicy"], ledger["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_stacks_share_no_table_since_the_template_names_none() -> None:
    assert "TableName" not in properties("Ledger")


ADOPTED = {"LedgerTableName": "of-an-earlier-stack"}
ADOPTED_ARN = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${LedgerTableName}"


def texts_in(node: JsonValue) -> Iterator[str]:
    match node:
        case dict():
            for value in node.values():
                yield from texts_in(value)
        case list():
            for value in node:
                yield from texts_in(value)
        case _:
            yield str(node)


def test_a_stack_with_an_earlier_ledger_creates_none_and_uses_that_one_everywhere() -> None:
    created = resources(**ADOPTED)
    texts = set(texts_in([created, outputs(**ADOPTED)]))
    assert "Ledger" not in created
    assert not {text for text in texts if text == "Ledger" or "${Ledger." in text}, "a table that is not created"
    assert {ADOPTED_ARN, f"{ADOPTED_ARN}/index/in-doubt"} <= texts
    tables = {
        resource["Properties"]["Environment"]["Variables"]["LEDGER_TABLE"]
        for resource in created.values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert tables == {"of-an-earlier-stack"}
    assert outputs(**ADOPTED)["LedgerTableName"]["Value"] == "of-an-earlier-stack"


def test_by_default_the_stack_has_a_ledger_of_its_own() -> None:
    assert outputs()["LedgerTableName"]["Value"] == {"Ref": "Ledger"}
    assert not {text for text in texts_in(resources()) if "LedgerTableName" in text}
