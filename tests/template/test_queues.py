import pytest

from tests.template.transformed import arn_of, properties, resources, resources_of

QUEUES = sorted(resources_of("AWS::SQS::Queue"))


def test_there_are_the_requests_and_their_dead_letters() -> None:
    assert QUEUES == ["SongDeadLetters", "SongRequests"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_refuses_whoever_comes_without_tls(queue: str) -> None:
    policies = [
        policy for policy in resources_of("AWS::SQS::QueuePolicy").values() if {"Ref": queue} in policy["Queues"]
    ]
    [statement] = policies[0]["PolicyDocument"]["Statement"]
    assert len(policies) == 1, "a second policy on a queue replaces the first"
    assert statement == {
        "Sid": "RefuseUnencryptedTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn_of(queue),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_encrypted_at_rest(queue: str) -> None:
    assert properties(queue)["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_outlives_its_stack(queue: str) -> None:
    resource = resources()[queue]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_every_queue_hides_what_was_received_equally_long() -> None:
    assert len({properties(queue)["VisibilityTimeout"] for queue in QUEUES}) == 1


def test_every_queue_but_the_last_has_the_dead_letters_behind_it() -> None:
    behind = {queue: properties(queue).get("RedrivePolicy", {}).get("deadLetterTargetArn") for queue in QUEUES}
    assert behind == {"SongRequests": arn_of("SongDeadLetters"), "SongDeadLetters": None}


def test_the_dead_letters_take_from_the_requests_only() -> None:
    allowed = properties("SongDeadLetters")["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    [source] = allowed["sourceQueueArns"]
    name, name_parts = properties("SongRequests")["QueueName"]["Fn::Sub"]
    assert source == {
        "Fn::Sub": [f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}", name_parts]
    }


def test_nothing_uses_the_requests_as_its_dead_letter_queue() -> None:
    assert properties("SongRequests")["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


def test_two_stacks_of_an_account_have_two_queues_of_requests() -> None:
    _, parts = properties("SongRequests")["QueueName"]["Fn::Sub"]
    assert parts == {"StackUuid": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}
