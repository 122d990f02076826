import json
import re
from collections.abc import Iterator, Sequence

import pytest

from song_intake.admission.budget_item import BUDGET_KEY
from song_intake.admission.pace_item import PACE_KEY
from song_intake.admission.switch_state import INTAKE_KEY
from song_intake.contract.request_id import as_request_id
from tests.local.contract import SCHEMAS
from tests.template.transformed import PROJECT, Json, JsonValue, arn_of, properties, resources, resources_of, shipped

# In a key policy "*" is the key itself, and a key that its account may not administer is lost for good.
ALLOWED_WILDCARDS = {
    ("AlarmKey", "AllowAccountAdministration", "kms:*"),
    ("AlarmKey", "AllowAccountAdministration", "*"),
    ("AlarmKey", "AllowAlarmsToEncrypt", "*"),
    # These actions do not support resource-level permissions: Service Authorization Reference, Step Functions.
    ("SubmitSongRole", "AnswerTask", "*"),
    ("TrackSongRole", "AnswerTask", "*"),
    ("ResolveSongRole", "AnswerTask", "*"),
    ("KeepRecordingRole", "AnswerTask", "*"),
    # Every recording, and no other object.
    ("KeepRecordingRole", "WriteRecordings", "${RecordingBucket.Arn}/songs/*"),
    ("ReaderPolicy", "ReadRecordings", "${RecordingBucket.Arn}/songs/*"),
    # Neither do these, or CloudWatch advises against it. All of them only read.
    ("DoctorPolicy", "DoctorReadsAccount", "*"),
}
# In the ARNs of what has no ARN in the template: the id of the stack, and its alarms by the beginning of their names.
ALLOWED_PATTERNS = {
    ("OperatorPolicy", "DescribeStack"),
    ("DoctorPolicy", "DoctorReadsStack"),
    ("DoctorPolicy", "DoctorTestsAlarms"),
}

GRANTS_OF_SUBMIT_SONG = [
    ("sqs:ReceiveMessage", arn_of("SongRequests")),
    ("sqs:DeleteMessage", arn_of("SongRequests")),
    ("sqs:GetQueueAttributes", arn_of("SongRequests")),
    ("sqs:ChangeMessageVisibility", arn_of("SongRequests")),
    ("sqs:SendMessage", arn_of("SongRequests")),
    ("sqs:SendMessage", arn_of("SongDeadLetters")),
    ("sqs:SendMessage", arn_of("SongChecks")),
    ("dynamodb:GetItem", arn_of("Ledger")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("dynamodb:PartiQLInsert", arn_of("Ledger")),
    ("dynamodb:PartiQLUpdate", arn_of("Ledger")),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["ApiToken", "Id"]}),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("events:PutEvents", arn_of("SongEvents")),
    ("states:SendTaskSuccess", "*"),
    ("states:SendTaskFailure", "*"),
    ("logs:CreateLogStream", arn_of("SubmitSongLogGroup")),
    ("logs:PutLogEvents", arn_of("SubmitSongLogGroup")),
]

GRANTS_OF_TRACK_SONG = [
    ("sqs:ReceiveMessage", arn_of("SongChecks")),
    ("sqs:DeleteMessage", arn_of("SongChecks")),
    ("sqs:GetQueueAttributes", arn_of("SongChecks")),
    ("sqs:ChangeMessageVisibility", arn_of("SongChecks")),
    ("sqs:SendMessage", arn_of("SongChecks")),
    ("sqs:SendMessage", arn_of("SongCheckDeadLetters")),
    ("sqs:SendMessage", arn_of("SongRecordings")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["ApiToken", "Id"]}),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("events:PutEvents", arn_of("SongEvents")),
    ("states:SendTaskSuccess", "*"),
    ("states:SendTaskFailure", "*"),
    ("logs:CreateLogStream", arn_of("TrackSongLogGroup")),
    ("logs:PutLogEvents", arn_of("TrackSongLogGroup")),
]

RECORDINGS = {"Fn::Sub": "${RecordingBucket.Arn}/songs/*"}
GRANTS_OF_KEEP_RECORDING = [
    ("sqs:ReceiveMessage", arn_of("SongRecordings")),
    ("sqs:DeleteMessage", arn_of("SongRecordings")),
    ("sqs:GetQueueAttributes", arn_of("SongRecordings")),
    ("sqs:ChangeMessageVisibility", arn_of("SongRecordings")),
    ("sqs:SendMessage", arn_of("SongRecordings")),
    ("sqs:SendMessage", arn_of("SongRecordingDeadLetters")),
    ("s3:PutObject", RECORDINGS),
    ("s3:AbortMultipartUpload", RECORDINGS),
    ("s3:GetObject", RECORDINGS),
    ("dynamodb:GetItem", arn_of("Ledger")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("events:PutEvents", arn_of("SongEvents")),
    ("states:SendTaskSuccess", "*"),
    ("states:SendTaskFailure", "*"),
    ("logs:CreateLogStream", arn_of("KeepRecordingLogGroup")),
    ("logs:PutLogEvents", arn_of("KeepRecordingLogGroup")),
]

GRANTS_OF_RECEIVE_WEBHOOK = [
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("sqs:SendMessage", arn_of("SongChecks")),
    ("logs:CreateLogStream", arn_of("ReceiveWebhookLogGroup")),
    ("logs:PutLogEvents", arn_of("ReceiveWebhookLogGroup")),
]

GRANTS_OF_RESOLVE_SONG = [
    ("dynamodb:GetItem", arn_of("Ledger")),
    ("dynamodb:UpdateItem", arn_of("Ledger")),
    ("dynamodb:Scan", arn_of("Ledger")),
    ("dynamodb:Query", {"Fn::Sub": "${Ledger.Arn}/index/in-doubt"}),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["ApiToken", "Id"]}),
    ("sqs:SendMessage", arn_of("SongChecks")),
    ("events:PutEvents", arn_of("SongEvents")),
    ("states:SendTaskFailure", "*"),
    ("logs:CreateLogStream", arn_of("ResolveSongLogGroup")),
    ("logs:PutLogEvents", arn_of("ResolveSongLogGroup")),
]

GRANTS_OF_REDRIVE_LETTERS = [
    *(
        (f"sqs:{action}", arn_of(queue))
        for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
        for queue in ("SongDeadLetters", "SongCheckDeadLetters", "SongRecordingDeadLetters")
    ),
    ("sqs:SendMessage", arn_of("SongRequests")),
    ("sqs:SendMessage", arn_of("SongChecks")),
    ("sqs:SendMessage", arn_of("SongRecordings")),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("logs:CreateLogStream", arn_of("RedriveLettersLogGroup")),
    ("logs:PutLogEvents", arn_of("RedriveLettersLogGroup")),
]

THE_MAPPING = {
    "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
    ":event-source-mapping:${SubmitSongRequests}"
}
GRANTS_OF_SWITCH_INTAKE = [
    ("lambda:GetEventSourceMapping", THE_MAPPING),
    ("lambda:UpdateEventSourceMapping", THE_MAPPING),
    ("dynamodb:GetItem", arn_of("Ledger")),
    ("dynamodb:PutItem", arn_of("Ledger")),
    ("dynamodb:GetItem", arn_of("Ledger")),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["ApiToken", "Id"]}),
    ("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookKey", "Id"]}),
    ("logs:CreateLogStream", arn_of("SwitchIntakeLogGroup")),
    ("logs:PutLogEvents", arn_of("SwitchIntakeLogGroup")),
]

GRANTS: dict[str, Sequence[tuple[str, JsonValue]]] = {
    "SubmitSong": GRANTS_OF_SUBMIT_SONG,
    "TrackSong": GRANTS_OF_TRACK_SONG,
    "KeepRecording": GRANTS_OF_KEEP_RECORDING,
    "ReceiveWebhook": GRANTS_OF_RECEIVE_WEBHOOK,
    "ResolveSong": GRANTS_OF_RESOLVE_SONG,
    "RedriveLetters": GRANTS_OF_REDRIVE_LETTERS,
    "SwitchIntake": GRANTS_OF_SWITCH_INTAKE,
}


def as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def statements_in(node: JsonValue) -> Iterator[Json]:
    """Every policy statement below a node, wherever the resource type keeps its policies."""
    match node:
        case {"Statement": statements}:
            yield from as_list(statements)
        case dict():
            for value in node.values():
                yield from statements_in(value)
        case list():
            for value in node:
                yield from statements_in(value)


def statements(effect: str) -> list[tuple[str, Json]]:
    return [
        (logical_id, statement)
        for logical_id, resource in resources().items()
        for statement in statements_in(resource)
        if statement["Effect"] == effect
    ]


def test_grants_name_their_actions_and_resources() -> None:
    wildcards = {
        (logical_id, statement.get("Sid"), granted if isinstance(granted, str) else granted["Fn::Sub"])
        for logical_id, statement in statements("Allow")
        for granted in as_list(statement["Action"]) + as_list(statement.get("Resource", []))
        if "*" in json.dumps(granted) and (logical_id, statement.get("Sid")) not in ALLOWED_PATTERNS
    }
    assert wildcards == ALLOWED_WILDCARDS


def test_no_statement_grants_by_exclusion() -> None:
    negations = {"NotAction", "NotResource", "NotPrincipal"}
    assert [logical_id for logical_id, statement in statements("Allow") if negations & statement.keys()] == []


def test_nothing_is_granted_to_every_principal() -> None:
    granted = [(logical_id, json.dumps(statement.get("Principal"))) for logical_id, statement in statements("Allow")]
    assert [logical_id for logical_id, principal in granted if '"*"' in principal] == []


def test_cloudwatch_may_publish_only_on_behalf_of_this_account() -> None:
    of_cloudwatch = [
        statement
        for _, statement in statements("Allow")
        if statement.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}
    ]
    of_this_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert [statement["Condition"] for statement in of_cloudwatch] == [of_this_account] * 3


@pytest.mark.parametrize("function", resources_of("AWS::Lambda::Function"))
def test_every_function_has_a_role_of_its_own_that_only_lambda_may_assume(function: str) -> None:
    role = f"{function}Role"
    assert properties(function)["Role"] == arn_of(role)
    [trust] = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def test_only_these_services_invoke_a_function_and_no_function_has_a_url() -> None:
    permissions = resources_of("AWS::Lambda::Permission").values()
    assert [(one["FunctionName"], one["Principal"]) for one in permissions] == [
        ({"Ref": "ReceiveWebhook"}, "apigateway.amazonaws.com"),
        ({"Ref": "SwitchIntake"}, "events.amazonaws.com"),
    ]
    assert resources_of("AWS::Lambda::Url") == {}


@pytest.mark.parametrize("role", resources_of("AWS::IAM::Role"))
def test_no_role_has_a_managed_policy(role: str) -> None:
    assert "ManagedPolicyArns" not in properties(role)


def test_the_grants_of_every_function_are_listed() -> None:
    assert sorted(GRANTS) == sorted(resources_of("AWS::Lambda::Function"))


@pytest.mark.parametrize(("function", "grants"), GRANTS.items(), ids=GRANTS)
def test_a_function_may_do_this_and_no_more(function: str, grants: Sequence[tuple[str, JsonValue]]) -> None:
    granted = [
        (action, resource)
        for policy in properties(f"{function}Role")["Policies"]
        for statement in statements_in(policy)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert sorted(granted, key=str) == sorted(grants, key=str)


def test_a_function_publishes_events_of_its_own_sources_only() -> None:
    sources = {
        role: statement["Condition"]
        for role, statement in statements("Allow")
        if statement["Action"] == "events:PutEvents"
    }
    of_songs = {"ForAllValues:StringEquals": {"events:source": "song-intake"}}
    of_the_account_too = {"ForAllValues:StringEquals": {"events:source": ["song-intake", "song-intake.account"]}}
    others = ("TrackSongRole", "ResolveSongRole", "KeepRecordingRole")
    assert sources == {"SubmitSongRole": of_the_account_too, **dict.fromkeys(others, of_songs)}


REQUESTS_ONLY = {"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": "#*"}}
PACE_ONLY = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": PACE_KEY}}
BUDGET_ONLY = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"{BUDGET_KEY}*"}}
INTAKE_ONLY = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": INTAKE_KEY}}


def test_every_right_on_the_table_is_limited_to_the_items_that_its_function_needs() -> None:
    limits = {
        (role, statement["Sid"]): statement["Condition"]
        for role, statement in statements("Allow")
        # A scan names no key, so that only the resource limits it.
        if statement.get("Resource") == arn_of("Ledger") and statement["Action"] != "dynamodb:Scan"
        if role not in ("ReaderPolicy", "OperatorPolicy", "DoctorPolicy")
    }
    assert limits == {
        ("SubmitSongRole", "WriteLedger"): REQUESTS_ONLY,
        ("SubmitSongRole", "WritePace"): PACE_ONLY,
        ("SubmitSongRole", "CountCreates"): BUDGET_ONLY,
        ("TrackSongRole", "WriteLedger"): REQUESTS_ONLY,
        ("KeepRecordingRole", "WriteLedger"): REQUESTS_ONLY,
        ("ResolveSongRole", "WriteLedger"): REQUESTS_ONLY,
        ("SwitchIntakeRole", "WriteIntakeState"): INTAKE_ONLY,
        ("SwitchIntakeRole", "ReadBudget"): BUDGET_ONLY,
    }


def test_the_function_that_the_internet_reaches_has_no_right_on_the_table() -> None:
    policies = json.dumps(properties("ReceiveWebhookRole")["Policies"])
    assert "sqs:SendMessage" in policies
    assert not {name for name in ("dynamodb", "Ledger") if name in policies}


@pytest.mark.parametrize("key", [PACE_KEY, INTAKE_KEY, BUDGET_KEY + "2026-07-01"])
def test_no_request_has_the_key_of_another_item(key: str) -> None:
    assert key.startswith("#")
    assert as_request_id("#") is None
    assert as_request_id(key) is None


def test_no_other_policy_is_attached_to_the_roles() -> None:
    attached = {"AWS::IAM::Policy", "AWS::IAM::RolePolicy"}
    assert [name for name, resource in resources().items() if resource["Type"] in attached] == []
    for policy in resources_of("AWS::IAM::ManagedPolicy").values():
        assert not {"Roles", "Users", "Groups"} & set(policy), "it is for the roles of callers"


def test_a_sender_may_send_requests_and_nothing_else() -> None:
    (statement,) = properties("SenderPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", arn_of("SongRequests"))


def test_a_reader_may_read_the_published_attributes_of_requests_and_nothing_else() -> None:
    statement, of_recordings = properties("ReaderPolicy")["PolicyDocument"]["Statement"]
    assert (of_recordings["Action"], of_recordings["Resource"]) == ("s3:GetObject", RECORDINGS)
    assert len(properties("ReaderPolicy", KeepRecordings="off")["PolicyDocument"]["Statement"]) == 1
    assert (statement["Action"], statement["Resource"]) == ("dynamodb:GetItem", arn_of("Ledger"))
    schema = json.loads(SCHEMAS["request_row"].read_text(encoding="utf-8"))
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(schema["properties"])},
        **REQUESTS_ONLY,
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }


def rights_in(policy: str) -> dict[str, Json]:
    return {statement["Sid"]: statement for statement in properties(policy)["PolicyDocument"]["Statement"]}


OF_OPERATORS, OF_THE_DOCTOR = rights_in("OperatorPolicy"), rights_in("DoctorPolicy")
RIGHTS_OF_OPERATORS: dict[str, list[str]] = {
    "DescribeStack": ["cloudformation:DescribeStacks"],
    "SendRequests": ["sqs:SendMessage"],
    "ReadRequests": ["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query"],
    "DescribeLedger": ["dynamodb:DescribeTable"],
    "ReadAndDiscardDeadLetters": ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
    "InvokeFunctions": ["lambda:InvokeFunction"],
    "ReadUsage": ["dynamodb:GetItem"],
}


def test_operators_may_do_what_their_commands_do_and_no_more() -> None:
    assert {sid: as_list(one["Action"]) for sid, one in OF_OPERATORS.items()} == RIGHTS_OF_OPERATORS
    assert OF_OPERATORS["InvokeFunctions"]["Resource"] == [
        arn_of("RedriveLetters"),
        arn_of("ResolveSong"),
        arn_of("SwitchIntake"),
    ]
    assert OF_OPERATORS["ReadUsage"]["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "#budget:*"}}
    of_readers = properties("ReaderPolicy")["PolicyDocument"]["Statement"][0]["Condition"]
    condition = OF_OPERATORS["ReadRequests"]["Condition"]
    published = of_readers["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    # `doubt` is the key of the index, and its only value is IN_DOUBT.
    assert condition == {
        **of_readers,
        "ForAllValues:StringEquals": {"dynamodb:Attributes": [*published, "doubt"]},
    }


def test_the_doctor_reads_the_settings_of_every_function() -> None:
    functions = [arn_of(name) for name, one in shipped()["Resources"].items() if one["Type"].endswith("::Function")]
    readable = as_list(OF_THE_DOCTOR["DoctorReadsFunctions"]["Resource"])
    assert sorted(map(str, readable)) == sorted(map(str, functions))


def test_the_doctor_writes_no_rows_but_its_own_and_reads_no_secret() -> None:
    of_doctor = list(OF_THE_DOCTOR.values())
    on_rows = [one for one in of_doctor if "dynamodb" in json.dumps(one["Action"])]
    assert [one["Condition"] for one in on_rows] == [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "doctor-*"}}]
    assert "secretsmanager" not in json.dumps(of_doctor)


FUNCTIONS_THAT_READ = {
    "ReadApiToken": {"submit_song", "track_song", "resolve_song", "switch_intake"},
    "ReadSigningKey": {
        "submit_song", "track_song", "keep_recording", "receive_webhook", "redrive_letters", "switch_intake",
    },
}  # fmt: skip


@pytest.mark.parametrize("sid", FUNCTIONS_THAT_READ)
def test_only_these_functions_read_a_secret_and_security_md_lists_them(sid: str) -> None:
    roles = {role for role, statement in statements("Allow") if statement.get("Sid") == sid}
    names = FUNCTIONS_THAT_READ[sid]
    assert {"".join(word.title() for word in name.split("_")) + "Role" for name in names} == roles
    text = " ".join((PROJECT / "SECURITY.md").read_text(encoding="utf-8").split())
    listed = re.findall(r"Only ((?:`[a-z_]+`(?:, | and )?)+) can read it", text)
    assert names in [set(re.findall("[a-z_]+", found)) - {"and"} for found in listed]
