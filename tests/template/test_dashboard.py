"""The dashboard: valid JSON, whose widgets show metrics that exist, of resources of this stack, in plain words."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from song_intake.domain.reason import SHARED, Reason
from song_intake.outgoing.metrics import METRIC_OF_LETTER, METRICS
from tests.template.transformed import Json, parameter_defaults, properties, resources

OURS = "SongIntake"
STACK = "my-stack"
# The metrics of AWS's services, by https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
# and the pages that it names: the dimension of each, and the type of the resource whose Ref or attribute is its value.
AWS_METRICS = {
    "AWS/Lambda": (
        {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
        "FunctionName",
        ("AWS::Lambda::Function", None),
    ),
    "AWS/SQS": (
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        },
        "QueueName",
        ("AWS::SQS::Queue", "QueueName"),
    ),
    "AWS/DynamoDB": ({"ReadThrottleEvents", "WriteThrottleEvents"}, "TableName", ("AWS::DynamoDB::Table", None)),
}
# What the alternatives of the template leave out, and what they name instead.
VARIANTS: list[dict[str, int | str]] = [
    {},
    {"KeepRecordings": "off"},
    {"Webhook": "off"},
    {"LedgerTableName": "my-table"},
    {"CreatesPerMinute": 0},
]
LEFT_OUT = "-"
# Our choice: a page that a browser loads at once. CloudWatch documents no limit of the text.
LARGEST_BODY_BYTES = 50_000
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_METRICS_A_WIDGET, MOST_METRICS = 500, 2_500
SECTIONS = 2


def dashboard(**given: int | str) -> Json:
    """The dashboard as CloudWatch gets it. <LogicalId> and <LogicalId.QueueName> stand for what a resource is named."""
    text, variables = properties("Dashboard", **given)["DashboardBody"]["Fn::Sub"]
    known = {"AWS::Region": "eu-west-1", "AWS::StackName": STACK} | (parameter_defaults() | given)
    created = resources(**given)

    def value_of(reference: re.Match[str]) -> str:
        name = reference[1]
        if name in known:
            return str(known[name])
        return _shown(variables[name], created) if name in variables else _shown({"Ref": name}, created)

    body: Json = json.loads(re.sub(r"\$\{([^}]+)\}", value_of, text))
    assert len(json.dumps(body)) < LARGEST_BODY_BYTES
    return body


def _shown(value: Any, created: Json) -> str:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "QueueName"]}:
            logical_id = name.split(".")[0]
            assert logical_id in created, f"{logical_id} does not exist with these parameters"
            return f"<{name}>" if "Ref" in value else f"<{name}.QueueName>"
        case _:
            return str(value)


def graphs(**given: int | str) -> list[Json]:
    return [one["properties"] for one in dashboard(**given)["widgets"] if one["type"] == "metric"]


def metrics(**given: int | str) -> list[list[Any]]:
    """Namespace, name, and the dimensions and their values: without options."""
    all_of_them = [metric for graph in graphs(**given) for metric in graph["metrics"]]
    return [[part for part in metric if not isinstance(part, dict)] for metric in all_of_them]


@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_every_graph_shows_metrics_that_exist(given: dict[str, int | str]) -> None:
    created = resources(**given)
    for namespace, name, *dimensions in metrics(**given):
        if namespace == OURS:
            assert name in METRICS
            assert dimensions[:2] == ["service", STACK]
            assert dimensions[2:] == [] or _is_a_reason_of(name, *dimensions[2:])
            continue
        names, dimension, (kind, attribute) = AWS_METRICS[namespace]
        assert name in names
        assert dimensions[0] == dimension
        (value,) = dimensions[1:]
        assert value in (LEFT_OUT, given.get("LedgerTableName")) or _is_of(value, kind, attribute, created)


def _is_a_reason_of(name: str, dimension: str, reason: str) -> bool:
    reasons = {"DeadLettered": set(METRIC_OF_LETTER), "FaultsShared": SHARED - {Reason.PACED}}
    return dimension == "reason" and reason in reasons[name]


def _is_of(value: str, kind: str, attribute: str | None, created: Json) -> bool:
    logical_id, _, named = value.strip("<>").partition(".")
    return created[logical_id]["Type"] == kind and (named or None) == attribute


def test_nothing_that_exists_is_left_out() -> None:
    values = {value for _, _, _, value, *_ in metrics()}
    assert LEFT_OUT not in values
    kinds = ("AWS::Lambda::Function", "AWS::DynamoDB::Table")
    assert {f"<{name}>" for name, one in resources().items() if one["Type"] in kinds} <= values
    letters = {"SongDeadLetters", "SongCheckDeadLetters", "SongRecordingDeadLetters"}
    assert {f"<{name}.QueueName>" for name in ("SongRequests", "SongChecks", *letters)} <= values


def test_every_reason_of_a_dead_letter_is_shown() -> None:
    shown = {reason for _, name, *_, reason in metrics() if name == "DeadLettered"}
    assert shown == {reason.value for reason in METRIC_OF_LETTER}


@pytest.mark.parametrize("name", ["SendToSubmitted", "EndToEvent"])
def test_a_latency_is_shown_by_its_percentiles(name: str) -> None:
    (graph,) = [graph for graph in graphs() if any(name in metric for metric in graph["metrics"])]
    statistics = [metric[-1].get("stat", graph["stat"]) for metric in graph["metrics"]]
    assert statistics == ["p50", "p90", "p99"]
    assert graph["title"].endswith("milliseconds")


def test_the_pace_is_a_line_of_its_graph() -> None:
    (graph,) = [graph for graph in graphs(CreatesPerMinute=30) if "annotations" in graph]
    assert graph["period"] == 60
    assert [line["value"] for line in graph["annotations"]["horizontal"]] == [30]


def test_titles_and_labels_are_plain_words() -> None:
    titles = [graph["title"] for graph in graphs()]
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if re.search(r"[a-z][A-Z]|_", title)] == []
    options = [metric[-1] for graph in graphs() for metric in graph["metrics"] if isinstance(metric[-1], dict)]
    assert all(option["label"] for option in options)
    without = [metric for graph in graphs() for metric in graph["metrics"] if not isinstance(metric[-1], dict)]
    assert all(metric[-2] == "reason" for metric in without), "a reason is its own label"


def test_the_widgets_fill_the_dashboard_without_overlapping() -> None:
    widgets = dashboard()["widgets"]
    assert sum(one["type"] == "text" for one in widgets) == SECTIONS
    cells = [
        {(x, y) for x in range(one["x"], one["x"] + one["width"]) for y in range(one["y"], one["y"] + one["height"])}
        for one in widgets
    ]
    assert all(not one & other for one, other in combinations(cells, 2))
    every = set().union(*cells)
    assert len(every) == 24 * (1 + max(y for _, y in every))


def test_the_dashboard_is_within_the_quotas_of_cloudwatch() -> None:
    assert max(len(graph["metrics"]) for graph in graphs()) <= MOST_METRICS_A_WIDGET
    assert len(metrics()) <= MOST_METRICS
