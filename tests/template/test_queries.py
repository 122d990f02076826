"""The saved queries of CloudWatch Logs Insights ask for what the functions log."""

import io
import json
import re
from functools import cache

import pytest
from aws_lambda_powertools import Logger, Metrics

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn, SendAnew
from song_intake.domain.reason import Reason
from song_intake.domain.trace import Trace
from song_intake.outgoing.telemetry import RecordReport, Telemetry
from tests.template.transformed import resources_of

QUERIES = resources_of("AWS::Logs::QueryDefinition")
# Words of the query language: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
LANGUAGE = {"fields", "filter", "sort", "limit", "stats", "by", "as", "and", "in", "asc", "desc"}
LANGUAGE |= {"count", "count_distinct", "latest", "timestamp"}
DECISIONS: list[Decision] = [
    Done("task-1"),
    RetryIn(1, Reason.NO_CREDITS, "why"),
    SendAnew(1, Reason.PACED, "why"),
    DeadLetter(Reason.OUTCOME_UNKNOWN, "why", 502, "upstream_error", "task-1"),
]


@cache
def lines() -> list[dict[str, object]]:
    """One line of the log for each kind of decision."""
    log = io.StringIO()
    telemetry = Telemetry(Logger(service="queries", stream=log), Metrics(namespace="SongIntake", service="queries"))
    message = Message("message-1", "receipt", "{}", 1, 0.0, {})
    for decision in DECISIONS:
        telemetry.log(RecordReport(message, decision, "order-1", trace=Trace("a" * 32)))
    return [json.loads(line) for line in log.getvalue().splitlines()]


def without_comments(query: str) -> str:
    return re.sub(r"#.*", "", query)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_fields_that_are_logged(name: str) -> None:
    query = without_comments(QUERIES[name]["QueryString"])
    named = re.findall(r" as (\w+)", query)
    words = set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", query))) - LANGUAGE - set(named)
    assert words
    assert words <= {field for line in lines() for field in line}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_compares_with_values_that_are_logged(name: str) -> None:
    query = without_comments(QUERIES[name]["QueryString"])
    values = set(re.findall(r'"([^"]+)"', query))
    assert values <= {str(line["action"]) for line in lines()} | set(Reason)
    assert name == "RequestQuery" or values


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_has_the_stack_in_its_name_and_log_groups_of_the_stack(name: str) -> None:
    assert QUERIES[name]["Name"]["Fn::Sub"].startswith("${AWS::StackName}/")
    groups = {group["Ref"] for group in QUERIES[name]["LogGroupNames"]}
    assert groups <= set(resources_of("AWS::Logs::LogGroup"))
    assert {"SubmitSongLogGroup", "TrackSongLogGroup"} <= groups
    # Of recordings, no outcome is unknown: they are asked for again.
    assert ("KeepRecordingLogGroup" in groups) is (name != "DoubtsQuery")
