"""A call to our webhook as API Gateway hands it over (HTTP API, payload format 2.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from song_intake.ledger_table import LedgerUnavailable
from song_intake.undone import Undone
from song_intake.webhook import Call
from song_intake.webhook_keys import KeyUnavailable
from song_intake.webhook_reception import Reception, Reply

if TYPE_CHECKING:
    from song_intake.telemetry import Telemetry


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
    telemetry: Telemetry

    def answer(self, event: HttpApiEvent) -> HttpApiResponse:
        """A status and nothing else."""
        call = _call_in(event)
        try:
            reply = self.reception.take(call) if call else Reply.NOT_AUTHENTIC
        except (KeyUnavailable, LedgerUnavailable, Undone) as failure:
            self.telemetry.webhook_failed(failure)
            return {"statusCode": _TRY_AGAIN}
        accepted = reply is Reply.ACCEPTED
        # Only an authentic call's request_id is ours to name; whatever else was sent is a stranger's text.
        self.telemetry.webhook(int(reply), call.request_id if call and accepted else None, accepted=accepted)
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
