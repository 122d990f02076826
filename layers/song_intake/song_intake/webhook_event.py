"""A call to our webhook as API Gateway hands it over (HTTP API, payload format 2.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from aws_lambda_powertools.metrics import MetricUnit

from song_intake.ledger_table import LedgerUnavailable
from song_intake.undone import Undone
from song_intake.webhook import Call
from song_intake.webhook_keys import KeyUnavailable
from song_intake.webhook_reception import Reception, Reply

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


class HttpApiEvent(TypedDict, total=False):
    pathParameters: dict[str, str]
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class HttpApiResponse(TypedDict):
    statusCode: int


# Nothing is said of why: the vendor only needs to know whether to try again.
_TRY_AGAIN = 503


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    reception: Reception
    logger: Logger
    metrics: Metrics

    def answer(self, event: HttpApiEvent) -> HttpApiResponse:
        """A status and nothing else. Nothing of a call is logged but an authentic one's request_id."""
        call = _call_in(event)
        try:
            reply = self.reception.take(call) if call else Reply.NOT_AUTHENTIC
        except (KeyUnavailable, LedgerUnavailable, Undone) as failure:
            self.logger.warning("webhook", extra={"action": "webhook", "reason": type(failure).__name__})
            return {"statusCode": _TRY_AGAIN}
        accepted = reply is Reply.ACCEPTED
        request_id = call.request_id if call and accepted else None
        self.logger.info("webhook", extra={"action": "webhook", "status": int(reply), "request_id": request_id})
        self.metrics.add_metric("WebhookAccepted" if accepted else "WebhookRefused", MetricUnit.Count, 1)
        self.metrics.flush_metrics()
        return {"statusCode": int(reply)}


def _call_in(event: HttpApiEvent) -> Call | None:
    path = event.get("pathParameters") or {}
    body = _body_of(event)
    if body is None:
        return None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Call(path.get("request_id", ""), path.get("mac", ""), headers, body)


def _body_of(event: HttpApiEvent) -> bytes | None:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
