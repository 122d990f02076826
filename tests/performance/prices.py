"""AWS's prices in us-east-1, in US dollars, without free tiers and volume discounts.

AWS's pages load most prices by script, so these were read in copies of pages that quote them. Each price has AWS's own
page, the page where it was read, and the date on that page. An "undated" price was not verified further. Check a price
at its `page` before you rely on it.
"""

from dataclasses import dataclass
from enum import StrEnum

READ_ON = "2026-11-23"

_A_MILLION = 1_000_000


class Unit(StrEnum):
    """The billed units, by their names in the README."""

    LAMBDA_GB_SECONDS = "Lambda on arm64, GB-second"
    LAMBDA_REQUESTS = "Lambda request"
    DYNAMODB_WRITES = "DynamoDB on demand, write request unit (1 KB)"
    SQS_REQUESTS = "SQS standard queue, request (64 KB, up to 10 messages)"
    EVENTS = "EventBridge custom event (64 KB)"
    SCHEDULES = "EventBridge Scheduler, invocation"
    PIPES = "EventBridge Pipes, request (64 KB)"
    API_DESTINATIONS = "EventBridge API destination, call"
    TRANSITIONS = "Step Functions Standard, state transition"
    EXPRESS_REQUESTS = "Step Functions Express, request"
    EXPRESS_GB_SECONDS = "Step Functions Express, GB-second"
    LOG_BYTES = "CloudWatch Logs, ingested byte"
    HTTP_API_REQUESTS = "HTTP API request"
    SECRETS = "Secrets Manager, secret a month"
    SECRET_READS = "Secrets Manager, GetSecretValue"
    METRICS = "CloudWatch custom metric a month"
    ALARMS = "CloudWatch alarm a month"
    DASHBOARDS = "CloudWatch dashboard a month"
    KMS_KEYS = "KMS key a month"
    DYNAMODB_READS = "DynamoDB on demand, read request unit (4 KB)"
    S3_PUTS = "S3 PUT request"
    S3_GB_MONTHS = "S3 Standard, GB a month"


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` buys `count` of the unit."""

    usd: float
    count: int
    count_in_words: str
    page: str
    """AWS's own page."""
    seen: str
    """The page in whose copy the price was read."""
    dated: str
    """The date on that page."""

    @property
    def each(self) -> float:
        return self.usd / self.count


_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
_STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"

_SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"

_SEEN_LAMBDA_REQUESTS = (
    "https://git.mcrn.ar/mariano/lambda_local_runner/src/commit/957e45b8adae23ce50b966346229585b5df18b4d"
    "/docs/lambdas-md/lambda-13-cost.md"
)
_SEEN_HTTP_API = (
    "https://docs.aws.amazon.com/pt_br/whitepapers/latest/best-practices-api-gateway-private-apis-integration"
    "/cost-optimization.html"
)
_SEEN_SECRETS = "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"
_SEEN_EVENTBRIDGE = "https://cloudburn.io/blog/amazon-eventbridge-pricing"
_S3 = "https://aws.amazon.com/s3/pricing/"
_SEEN_S3 = "https://devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples"
_SEEN_CLOUDWATCH = "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/"
_SEEN_STEP_FUNCTIONS = "https://www.wring.co/blog/aws-step-functions-pricing-guide"


def _million(usd: float, page: str, seen: str, dated: str) -> Price:
    return Price(usd, _A_MILLION, "a million", page, seen, dated)


def _one(usd: float, page: str, seen: str, dated: str) -> Price:
    return Price(usd, 1, "each", page, seen, dated)


PRICES = {
    Unit.LAMBDA_GB_SECONDS: Price(
        13.3334, _A_MILLION, "a million", _LAMBDA, "https://cloudchipr.com/blog/aws-lambda-pricing", "2024"
    ),
    Unit.LAMBDA_REQUESTS: _million(0.20, _LAMBDA, _SEEN_LAMBDA_REQUESTS, "undated"),
    Unit.DYNAMODB_WRITES: _million(
        0.625,
        "https://aws.amazon.com/dynamodb/pricing/",
        "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
        "2025-07-21",
    ),
    Unit.SQS_REQUESTS: _million(
        0.40, "https://aws.amazon.com/sqs/pricing/", "https://cloudburn.io/blog/amazon-sqs-pricing", "2026-03"
    ),
    Unit.EVENTS: _million(1.00, _EVENTBRIDGE, _SEEN_EVENTBRIDGE, "2026-03"),
    Unit.SCHEDULES: _million(1.00, _EVENTBRIDGE, _SEEN_EVENTBRIDGE, "2026-03"),
    Unit.PIPES: _million(0.40, _EVENTBRIDGE, _SEEN_EVENTBRIDGE, "2026-03"),
    Unit.API_DESTINATIONS: _million(0.20, _EVENTBRIDGE, _SEEN_EVENTBRIDGE, "2026-03"),
    Unit.TRANSITIONS: _million(25.00, _STEP_FUNCTIONS, _STEP_FUNCTIONS, "undated"),
    Unit.EXPRESS_REQUESTS: _million(1.00, _STEP_FUNCTIONS, _SEEN_STEP_FUNCTIONS, "2026-03-14"),
    Unit.EXPRESS_GB_SECONDS: _million(16.67, _STEP_FUNCTIONS, _SEEN_STEP_FUNCTIONS, "2026-03-14"),
    Unit.LOG_BYTES: Price(0.50, 1_000_000_000, "a GB", _CLOUDWATCH, _SEEN_CLOUDWATCH, "2026-06-13"),
    Unit.HTTP_API_REQUESTS: _million(
        1.00,
        "https://aws.amazon.com/api-gateway/pricing/",
        _SEEN_HTTP_API,
        "undated",
    ),
    Unit.SECRETS: _one(0.40, _SECRETS, _SEEN_SECRETS, "undated"),
    Unit.SECRET_READS: _million(5.00, _SECRETS, _SEEN_SECRETS, "undated"),
    Unit.METRICS: _one(0.30, _CLOUDWATCH, "https://signoz.io/guides/cloudwatch-pricing", "2026-02-15"),
    Unit.ALARMS: _one(0.10, _CLOUDWATCH, "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", "undated"),
    Unit.DASHBOARDS: _one(3.00, _CLOUDWATCH, _SEEN_CLOUDWATCH, "2026-06-13"),
    Unit.KMS_KEYS: _one(1.00, "https://aws.amazon.com/kms/pricing/", "https://aws.amazon.com/kms/pricing/", "undated"),
    Unit.DYNAMODB_READS: _million(
        0.125,
        "https://aws.amazon.com/dynamodb/pricing/",
        "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
        "2025-07-21",
    ),
    Unit.S3_PUTS: _million(5.00, _S3, _SEEN_S3, "undated"),
    Unit.S3_GB_MONTHS: _one(0.023, _S3, _SEEN_S3, "undated"),
}
