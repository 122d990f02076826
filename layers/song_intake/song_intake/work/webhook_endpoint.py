"""The webhook's endpoint: a call as API Gateway delivers it (HTTP API, payload format 2.0), and what it causes.

The response is a status only, so that a forger learns nothing from it.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypedDict

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.status import FINAL
from song_intake.ledger.table import LedgerUnavailable
from song_intake.music_api.webhook import KeyUnavailable, WebhookCall, key_of, task_id_of
from song_intake.outgoing.checks import SongCheck

if TYPE_CHECKING:
    from song_intake.ledger.following import TrackingStore
    from song_intake.music_api.webhook import WebhookKeys
    from song_intake.outgoing.checks import SongChecks
    from song_intake.outgoing.telemetry import Telemetry


class HttpApiEvent(TypedDict, total=False):
    pathParameters: dict[str, str]
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class HttpApiResponse(TypedDict):
    statusCode: int


class Reply(IntEnum):
    """HTTP statuses. Any but ACCEPTED makes the vendor try again, if it retries at all."""

    ACCEPTED = 200
    NOT_AUTHENTIC = 401
    NO_SUCH_ADDRESS = 404
    TRY_AGAIN = 503


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WebhookEndpoint:
    """Safe to share between threads."""

    keys: WebhookKeys
    store: TrackingStore
    checks: SongChecks
    telemetry: Telemetry

    def handle(self, event: HttpApiEvent) -> HttpApiResponse:
        """A status and nothing else."""
        call = _call_in(event)
        try:
            reply = self._reply_to(call) if call else Reply.NOT_AUTHENTIC
        except (KeyUnavailable, LedgerUnavailable, SideEffectFailed) as failure:
            self.telemetry.webhook_failed(failure)
            return {"statusCode": Reply.TRY_AGAIN.value}
        accepted = reply is Reply.ACCEPTED
        # Only an authentic call's request_id is logged; whatever else was sent is a stranger's text.
        self.telemetry.webhook(reply.value, call.request_id if call and accepted else None, accepted=accepted)
        return {"statusCode": reply.value}

    def _reply_to(self, call: WebhookCall) -> Reply:
        """Record the task that an authentic call names, and have it polled at once. A repeat is harmless."""
        key = key_of(call, self.keys.current_first())
        if key is None:
            return Reply.NO_SUCH_ADDRESS
        task_id = task_id_of(call, key)
        if task_id is None:
            return Reply.NOT_AUTHENTIC
        row = self.store.record_webhook_task(call.request_id, task_id).row
        if row is None:
            return Reply.NO_SUCH_ADDRESS
        if row.status not in FINAL:
            self.checks.poll_now(SongCheck(call.request_id, row.task_id or task_id, time.time()))
        return Reply.ACCEPTED


def _call_in(event: HttpApiEvent) -> WebhookCall | None:
    path = event.get("pathParameters") or {}
    body = _body_of(event)
    if body is None:
        return None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return WebhookCall(path.get("request_id", ""), path.get("mac", ""), headers, body)


def _body_of(event: HttpApiEvent) -> bytes | None:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
