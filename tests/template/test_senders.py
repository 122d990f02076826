"""Who may send requests: the statements that the Sender... parameters add to the one policy of the queue."""

import re

import pytest

from tests.template.transformed import Json, arn_of, properties, resources_of, shipped

TOPIC = "arn:aws:sns:eu-west-1:111122223333:songs"
RULE = "arn:aws:events:eu-west-1:111122223333:rule/orders/song-wanted"
ROLE = "arn:aws:iam::444455556666:role/service/song-sender"
ACCOUNT = "777788889999"

DENY = "DenyUnencryptedTransport"
TO_THE_QUEUE: Json = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn_of("SongRequests")}


def statements(**given: str) -> list[Json]:
    found: list[Json] = properties("SongRequestsPolicy", **given)["PolicyDocument"]["Statement"]
    return found


def test_the_queue_has_one_policy_since_a_second_would_replace_it() -> None:
    of_the_queue = [
        name
        for name, policy in resources_of("AWS::SQS::QueuePolicy").items()
        if {"Ref": "SongRequests"} in policy["Queues"]
    ]
    assert of_the_queue == ["SongRequestsPolicy"]


def test_by_default_the_policy_lets_nobody_send() -> None:
    assert [statement["Sid"] for statement in statements()] == [DENY]


@pytest.mark.parametrize(
    ("parameter", "arn", "service"),
    [("SenderTopicArns", TOPIC, "sns.amazonaws.com"), ("SenderRuleArns", RULE, "events.amazonaws.com")],
)
def test_a_service_may_send_for_the_listed_sources_only(parameter: str, arn: str, service: str) -> None:
    deny, allow = statements(**{parameter: f"{arn},{arn}-2"})
    assert deny["Sid"] == DENY
    assert allow == TO_THE_QUEUE | {
        "Sid": f"Allow{parameter.removesuffix('Arns')}s",
        "Principal": {"Service": service},
        "Condition": {"ArnEquals": {"aws:SourceArn": [arn, f"{arn}-2"]}},
    }


def test_listed_accounts_and_roles_may_send() -> None:
    deny, allow = statements(SenderPrincipals=f"{ACCOUNT},{ROLE}")
    assert deny["Sid"] == DENY
    assert allow == TO_THE_QUEUE | {"Sid": "AllowSenderPrincipals", "Principal": {"AWS": [ACCOUNT, ROLE]}}


def test_all_ways_fit_into_one_policy() -> None:
    together = statements(SenderTopicArns=TOPIC, SenderRuleArns=RULE, SenderPrincipals=ROLE)
    assert [statement["Sid"] for statement in together] == [
        DENY,
        "AllowSenderTopics",
        "AllowSenderRules",
        "AllowSenderPrincipals",
    ]


ACCEPTED = [
    ("SenderTopicArns", TOPIC),
    ("SenderTopicArns", TOPIC.replace("aws", "aws-us-gov") + ".fifo"),
    ("SenderRuleArns", RULE),
    ("SenderRuleArns", "arn:aws:events:eu-west-1:111122223333:rule/song-wanted"),
    ("SenderPrincipals", ROLE),
    ("SenderPrincipals", ACCOUNT),
]
REFUSED = [
    ("SenderTopicArns", "*"),
    ("SenderTopicArns", TOPIC.replace("songs", "*")),
    ("SenderTopicArns", RULE),
    ("SenderRuleArns", RULE.replace("song-wanted", "*")),
    ("SenderRuleArns", TOPIC),
    ("SenderPrincipals", "*"),
    ("SenderPrincipals", "1234"),
    ("SenderPrincipals", ROLE.replace("song-sender", "*")),
    ("SenderPrincipals", "arn:aws:iam::444455556666:user/ada"),
]


def is_accepted(parameter: str, value: str) -> bool:
    return bool(re.fullmatch(shipped()["Parameters"][parameter]["AllowedPattern"], value))


@pytest.mark.parametrize(("parameter", "value"), ACCEPTED)
def test_a_sender_is_named_by_its_arn_or_account(parameter: str, value: str) -> None:
    assert is_accepted(parameter, value)


@pytest.mark.parametrize(("parameter", "value"), REFUSED)
def test_no_sender_is_named_by_a_wildcard_or_by_the_arn_of_another_kind(parameter: str, value: str) -> None:
    assert not is_accepted(parameter, value)
