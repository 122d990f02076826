import pytest

from tests.template.transformed import DEAD_LETTERS_OF, arn_of, properties, resources, resources_of

QUEUES = sorted(resources_of("AWS::SQS::Queue"))
# These may be turned off and on again, and a retained queue keeps its name.
WITHOUT_NAMES = {"SongRecordings": "SongRecordingDeadLetters"}
NAMED = {queue: letters for queue, letters in DEAD_LETTERS_OF.items() if queue not in WITHOUT_NAMES}


def test_there_are_the_requests_the_checks_the_recordings_and_the_dead_letters_of_each() -> None:
    assert sorted(QUEUES) == sorted([*DEAD_LETTERS_OF, *DEAD_LETTERS_OF.values()])


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_refuses_connections_without_tls(queue: str) -> None:
    policies = [
        policy for policy in resources_of("AWS::SQS::QueuePolicy").values() if {"Ref": queue} in policy["Queues"]
    ]
    [statement] = policies[0]["PolicyDocument"]["Statement"]
    assert len(policies) == 1, "a second policy on a queue replaces the first"
    assert statement == {
        "Sid": "DenyUnencryptedTransport",
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
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize(("queue", "dead_letters"), DEAD_LETTERS_OF.items())
def test_a_dead_letter_is_hidden_as_long_as_the_message_was(queue: str, dead_letters: str) -> None:
    assert properties(dead_letters)["VisibilityTimeout"] == properties(queue)["VisibilityTimeout"]


def test_every_queue_that_is_read_has_its_dead_letters_behind_it() -> None:
    behind = {queue: properties(queue).get("RedrivePolicy", {}).get("deadLetterTargetArn") for queue in QUEUES}
    expected = {queue: arn_of(dead_letters) for queue, dead_letters in DEAD_LETTERS_OF.items()}
    assert behind == expected | dict.fromkeys(DEAD_LETTERS_OF.values())


@pytest.mark.parametrize(("queue", "dead_letters"), NAMED.items())
def test_dead_letters_are_accepted_from_their_own_queue_only(queue: str, dead_letters: str) -> None:
    allowed = properties(dead_letters)["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    [source] = allowed["sourceQueueArns"]
    name, name_parts = properties(queue)["QueueName"]["Fn::Sub"]
    assert source == {
        "Fn::Sub": [f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}", name_parts]
    }


@pytest.mark.parametrize("queue", DEAD_LETTERS_OF)
def test_nothing_uses_a_queue_that_is_read_as_its_dead_letter_queue(queue: str) -> None:
    assert properties(queue)["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


@pytest.mark.parametrize("queue", [*WITHOUT_NAMES, *WITHOUT_NAMES.values()])
def test_a_queue_that_may_be_turned_off_and_on_has_no_name(queue: str) -> None:
    assert "QueueName" not in properties(queue)


@pytest.mark.parametrize("queue", NAMED)
def test_two_stacks_of_an_account_have_two_queues(queue: str) -> None:
    _, parts = properties(queue)["QueueName"]["Fn::Sub"]
    assert parts == {"StackUuid": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}
