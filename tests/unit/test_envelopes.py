"""Messages that came through SNS, EventBridge or Pipes, and messages that only resemble them."""

import base64
import json
from collections.abc import Callable

import pytest

from song_intake.contract import envelopes
from song_intake.contract.errors import InvalidRequest
from song_intake.contract.strict_json import JsonValue

REQUEST: dict[str, JsonValue] = {"sound": "calypso", "title": "Inside"}


def sns(content: JsonValue, **others: JsonValue) -> dict[str, JsonValue]:
    return {
        "Type": "Notification",
        "MessageId": "sns-id",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:songs",
        "Message": json.dumps(content),
        **others,
    }


def eventbridge(content: JsonValue, **others: JsonValue) -> dict[str, JsonValue]:
    return {"id": "event-id", "detail-type": "Song Wanted", "source": "com.example.shop", "detail": content, **others}


def pipe_from_sqs(content: JsonValue, **others: JsonValue) -> dict[str, JsonValue]:
    return {"messageId": "sqs-id", "eventSource": "aws:sqs", "body": json.dumps(content), **others}


def pipe_from_kinesis(content: JsonValue, **others: JsonValue) -> dict[str, JsonValue]:
    data = base64.b64encode(json.dumps(content).encode()).decode()
    return {"eventID": "shardId-0:7", "eventSource": "aws:kinesis", "data": data, **others}


WRAPPERS = [
    pytest.param(sns, "sns-id", id="SNS"),
    pytest.param(eventbridge, "event-id", id="EventBridge"),
    pytest.param(pipe_from_sqs, "sqs-id", id="Pipe from SQS"),
    pytest.param(pipe_from_kinesis, "shardId-0:7", id="Pipe from Kinesis"),
]
Wrapper = Callable[..., dict[str, JsonValue]]


def refused(body: JsonValue) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        envelopes.unwrap(body if isinstance(body, str) else json.dumps(body))
    assert len(caught.value.errors) == 1
    return caught.value


def test_a_request_without_an_envelope_is_unchanged_and_keeps_its_size() -> None:
    body = json.dumps(REQUEST, indent=4) + "\n"
    assert envelopes.unwrap(body) == envelopes.Unwrapped(REQUEST, len(body), None)


@pytest.mark.parametrize(("wrap", "publisher_id"), WRAPPERS)
def test_an_envelope_is_removed_and_its_id_is_kept(wrap: Wrapper, publisher_id: str) -> None:
    inside = envelopes.unwrap(json.dumps(wrap(REQUEST)))
    assert (inside.document, inside.publisher_id) == (REQUEST, publisher_id)
    assert inside.size <= len(json.dumps(REQUEST))


@pytest.mark.parametrize(("outer", "_outer_id"), WRAPPERS)
@pytest.mark.parametrize(("inner", "inner_id"), WRAPPERS)
def test_the_id_of_the_innermost_envelope_is_kept(
    outer: Wrapper, _outer_id: str, inner: Wrapper, inner_id: str
) -> None:
    inside = envelopes.unwrap(json.dumps(outer(inner(REQUEST))))
    assert (inside.document, inside.publisher_id) == (REQUEST, inner_id)


def test_three_envelopes_are_removed_and_a_fourth_is_refused() -> None:
    three = eventbridge(sns(pipe_from_sqs(REQUEST)))
    assert envelopes.unwrap(json.dumps(three)).document == REQUEST
    error = refused(sns(three)).errors[0]
    assert (error.rule, error.path) == ("maxEnvelopes", "$.Message.detail.Message")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(sns(REQUEST, Type="SubscriptionConfirmation"), "$.Type", id="a subscription to confirm"),
        pytest.param({"Message": "{}"}, "$.Type", id="SNS without a type"),
        pytest.param({"Type": "Notification", "Message": "{}"}, "$.TopicArn", id="SNS without a topic"),
        pytest.param(sns(REQUEST, Message={"sound": "x"}), "$.Message", id="SNS with an object"),
        pytest.param({"Type": "Notification", "TopicArn": "arn"}, "$.Message", id="SNS without a message"),
        pytest.param(eventbridge("{}"), "$.detail", id="a detail that is text"),
        pytest.param(eventbridge(None), "$.detail", id="a detail that is null"),
        pytest.param({"detail": REQUEST}, "$['detail-type']", id="EventBridge without a detail type"),
        pytest.param({"detail-type": "x", "detail": REQUEST}, "$.source", id="EventBridge without a source"),
        pytest.param(pipe_from_sqs(REQUEST, body=REQUEST), "$.body", id="a body that is an object"),
        pytest.param(pipe_from_sqs(REQUEST, eventSource="aws:dynamodb"), "$.eventSource", id="another source"),
        pytest.param({"eventSourceARN": "arn", "body": "{}"}, "$.eventSource", id="no source"),
        pytest.param(pipe_from_sqs(REQUEST, eventSource=["aws:sqs"]), "$.eventSource", id="a list of sources"),
        pytest.param(pipe_from_kinesis(REQUEST, data="not base64!"), "$.data", id="not base64"),
        pytest.param(pipe_from_kinesis(REQUEST, data="e30"), "$.data", id="base64 without its padding"),
        pytest.param(pipe_from_kinesis(REQUEST, data="e3!0="), "$.data", id="base64 with other characters in it"),
        pytest.param(pipe_from_kinesis(REQUEST, data="ü"), "$.data", id="base64 beyond ASCII"),
        pytest.param(pipe_from_kinesis(REQUEST, data="84mawg=="), "$.data", id="an aggregated record"),
        pytest.param(sns(eventbridge([])), "$.Message.detail", id="broken one envelope further in"),
    ],
)
def test_a_broken_envelope_is_one_error_with_its_path(body: JsonValue, path: str) -> None:
    error = refused(body).errors[0]
    assert (error.rule, error.path) == ("envelope", path)


@pytest.mark.parametrize(
    ("body", "rule", "path"),
    [
        (sns(None, Message='{"sound": "a",}'), "syntax", "$.Message"),
        (sns(None, Message=""), "notEmpty", "$.Message"),
        (sns(None, Message='{"sound": "a", "sound": "b"}'), "uniqueKeys", "$.Message"),
        (pipe_from_sqs(None, body='{"sound": "\\ud800"}'), "wholeCharacters", "$.body.sound"),
        ('{"detail-type": "x", "source": "y", "detail": {"sound": "a", "sound": "b"}}', "uniqueKeys", "$"),
        ('{"detail-type": "x", "source": "y", "detail": {"weirdness": 1e999}}', "finiteNumbers", "$"),
    ],
)
def test_the_content_of_an_envelope_must_be_strict_json(body: JsonValue, rule: str, path: str) -> None:
    error = refused(body).errors[0]
    assert (error.rule, error.path) == (rule, path)


@pytest.mark.parametrize("document", [[REQUEST], "text", 1, None, {"sound": "x", "type": "Notification"}, {}])
def test_a_document_without_an_envelope_is_left_to_the_schema(document: JsonValue) -> None:
    assert envelopes.unwrap(json.dumps(document)).document == document


def test_a_message_over_256_kib_is_refused_before_it_is_parsed() -> None:
    assert refused("\N{MUSICAL NOTE}" * (envelopes.MAX_MESSAGE_BYTES // 4) + "x").errors[0].rule == "maxBytes"
    assert refused("x" * envelopes.MAX_MESSAGE_BYTES).errors[0].rule == "syntax"


def test_an_envelope_may_be_larger_than_the_request_in_it() -> None:
    inside = envelopes.unwrap(json.dumps(sns(REQUEST, Subject="x" * 100_000)))
    assert inside.size < 100


@pytest.mark.parametrize("marker", [{"MessageId": 7}, {"MessageId": None}, {"MessageId": ["sns-id"]}])
def test_an_envelope_id_that_is_not_text_is_ignored(marker: dict[str, JsonValue]) -> None:
    assert envelopes.unwrap(json.dumps(sns(REQUEST, **marker))).publisher_id is None


def test_the_repr_does_not_show_the_content() -> None:
    assert "calypso" not in repr(envelopes.unwrap(json.dumps(REQUEST)))
