"""The webhook's endpoint: a call as API Gateway delivers it (HTTP API, payload format 2.0), and the check it causes.

This is the only function that the internet reaches, so it has no right on the ledger. It verifies the call and sends a
check with a signed hint: see webhook_hints.py. The response is a status only, so that a forger learns nothing from it.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote

from song_intake.aws.signing_key import KeyUnavailable
from song_intake.contract.request_id import as_request_id
from song_intake.domain.decision import SideEffectFailed
from song_intake.music_api.webhook_call import WebhookCall, hint_of, key_of
from song_intake.outgoing.checks import SongCheck

if TYPE_CHECKING:
    from song_intake.aws.signing_key import SigningKey, SigningKeys
    from song_intake.contract.proof import Proofs
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

    keys: SigningKeys
    proofs: Proofs
    checks: SongChecks
    telemetry: Telemetry

    def handle(self, event: HttpApiEvent) -> HttpApiResponse:
        """A status and nothing else."""
        call = _call_in(event)
        try:
            reply = self._reply_to(call) if call else Reply.NOT_AUTHENTIC
        except (KeyUnavailable, SideEffectFailed) as failure:
            self.telemetry.webhook_failed(failure)
            return {"statusCode": Reply.TRY_AGAIN.value}
        accepted = reply is Reply.ACCEPTED
        # Only an authentic call's request_id is logged; whatever else was sent is a stranger's text.
        self.telemetry.webhook(reply.value, call.request_id if call and accepted else None, accepted=accepted)
        return {"statusCode": reply.value}

    def _reply_to(self, call: WebhookCall) -> Reply:
        """Accepted once the check is on its queue: from then on, a crash loses nothing. A repeat is harmless."""
        key = self._key_of(call)
        if key is None:
            return Reply.NO_SUCH_ADDRESS
        named = hint_of(call, key)
        if named is None:
            return Reply.NOT_AUTHENTIC
        request_id, task_id = call.request_id, named.task_id
        hint = self.proofs.hint(uuid.uuid4().hex, request_id, task_id, is_late=named.is_late)
        self.checks.poll_now(SongCheck(request_id, task_id, time.time(), hint=hint))
        return Reply.ACCEPTED

    def _key_of(self, call: WebhookCall) -> SigningKey | None:
        """The key of this address. A key that was rotated a moment ago is read before the call is refused."""
        if as_request_id(call.request_id) is None:
            return None
        return key_of(call, self.keys.current_first()) or key_of(call, self.keys.read_again())


def _call_in(event: HttpApiEvent) -> WebhookCall | None:
    """The call; None if its body cannot be decoded.

    AWS does not document whether an HTTP API decodes path parameters. Decoding is harmless where it did: neither a
    request id nor a MAC contains a percent sign.
    """
    path = _texts(event.get("pathParameters"))
    body = _body_of(event)
    if body is None:
        return None
    headers = {name.lower(): value for name, value in _texts(event.get("headers")).items()}
    return WebhookCall(unquote(path.get("request_id", "")), unquote(path.get("mac", "")), headers, body)


def _texts(members: object) -> dict[str, str]:
    """The members that are texts: whoever may invoke the function may send anything."""
    if not isinstance(members, dict):
        return {}
    return {name: value for name, value in members.items() if isinstance(name, str) and isinstance(value, str)}


def _body_of(event: HttpApiEvent) -> bytes | None:
    """The bytes that the vendor signed, from either form; None if they cannot be decoded.

    An HTTP API selects the form by the Content-Type: a text, which JSON is, or base64 for binary data. AWS does not
    document what happens to bytes in a text that are not UTF-8. If the API replaces them, they are lost, the signature
    cannot match, and the call is refused. That is safe: polls determine the end of a song without any webhook, and a
    request in doubt becomes a dead letter for an operator, as if its webhook were lost.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    body: object = event.get("body")
    text = body if isinstance(body, str) else ""
    if not event.get("isBase64Encoded"):
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
