"""Checks of the stack's webhook: signed calls as the vendor sends them, and forged ones.

The row of the doctor's own request has a song that has ended, so no call has a song polled. Each accepted call names
another task, which ends up among the other tasks of the row: this shows that the call was acted upon.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from song_intake.aws.signing_key import KeyUnavailable, SigningKey, SigningKeys
from song_intake.commands.checkup import DENIED, CheckFailed, CheckSkipped, Finding, failed, passed
from song_intake.commands.deployed import in_a_day, new_doctor_id
from song_intake.commands.options import shown_moment
from song_intake.domain.status import Status

if TYPE_CHECKING:
    from song_intake.commands.deployed import DeployedStack

_REFUSALS = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND))
_NOT_UTF8 = b'{"message": "\xff", '


def check_webhook(stack: DeployedStack) -> Finding:
    """Send signed calls about an own row, wait until they were acted upon, and remove the row."""
    caller = _Caller(stack, new_doctor_id("webhook"), _signing_key(stack))
    caller.put_row()
    try:
        encoded = quote(caller.request_id, safe="")
        status = caller.call(encoded, "encoded")
        if status != HTTPStatus.OK:
            return failed(_refused(stack, status))
        observed = (
            f"the HTTP API passes an encoded path parameter on {_decoding(caller.call(quote(encoded), 'twice'))}",
            f"the HTTP API {_keeping(caller.call(encoded, 'bytes', _NOT_UTF8))} a byte of a body that is not UTF-8",
        )
    finally:
        is_complete = caller.remove_row()
    if not is_complete:
        return failed(
            f"a call was accepted, but not acted upon within {stack.waiting.short:.0f} s: read the log of track_song. "
            f"The row {caller.request_id} stays for a day"
        )
    return passed("a signed call about an encoded request_id was accepted and acted upon", *observed)


def check_forgery(stack: DeployedStack) -> Finding:
    """Send calls to a forged address and, if the key can be read, with a forged signature. None may be accepted."""
    _require_webhook(stack)
    request_id = new_doctor_id("forged")
    stranger = _Caller(stack, request_id, SigningKey.of(uuid.uuid4().hex))
    statuses: dict[str, int] = {"address": stranger.call(quote(request_id), "forged")}
    try:
        key = _signing_key(stack)
    except CheckSkipped:
        missing = "; no call with a forged signature was sent, since the key cannot be read"
    else:
        missing = ""
        statuses["signature"] = stranger.call(quote(request_id), "forged", path_key=key)
    wrong = {forged: status for forged, status in statuses.items() if status not in _REFUSALS}
    shown = ", ".join(f"{status} for a forged {forged}" for forged, status in (wrong or statuses).items())
    if HTTPStatus.OK in wrong.values():
        return failed(f"{shown} instead of 401 or 404: set Webhook=off, and report it to the project")
    if wrong:
        return failed(f"{shown} instead of 401 or 404: run the doctor again, or read receive_webhook's log")
    if stack.row_attributes(request_id):
        return failed("a forged call wrote a row: set Webhook=off, and report it to the project")
    return passed(f"{shown}{missing}")


def _require_webhook(stack: DeployedStack) -> None:
    if "WebhookUrl" not in stack.outputs:
        raise CheckSkipped("the stack has no webhook (Webhook=off)")


def _signing_key(stack: DeployedStack) -> SigningKey:
    _require_webhook(stack)
    secret_id = stack.resource_id("WebhookKey")
    try:
        return SigningKeys(stack.session.client("secretsmanager"), secret_id).current_first()[0]
    except KeyUnavailable as failure:
        if any(code in str(failure) for code in DENIED):
            raise CheckSkipped(
                "you may not read the signing key: secretsmanager:GetSecretValue on WebhookKey"
            ) from None
        raise CheckFailed(f"{failure}: put a text of 32 or more characters into the secret of WebhookKey") from None


def _refused(stack: DeployedStack, status: int) -> str:
    log = stack.outputs.get("ReceiveWebhookLogGroup", "receive_webhook")
    causes: Mapping[int, str] = {
        HTTPStatus.UNAUTHORIZED: "the body or the headers arrive changed",
        HTTPStatus.NOT_FOUND: "the address is not recognized, or the function has another key",
        HTTPStatus.TOO_MANY_REQUESTS: "the API throttles: see WebhookThrottleRate",
        HTTPStatus.SERVICE_UNAVAILABLE: "the function cannot read the key, or cannot write",
    }
    return f"a signed call got {status} ({causes.get(status, 'unexpected')}): read the log {log}"


def _decoding(status: int) -> str:
    """receive_webhook decodes once: a parameter that was encoded twice fits only if the API decodes too."""
    return "decoded" if status == HTTPStatus.OK else f"as it came (encoded twice, it got {status})"


def _keeping(status: int) -> str:
    return "keeps" if status == HTTPStatus.OK else f"does not keep ({status})"


@dataclass(slots=True, eq=False, repr=False)
class _Caller:
    """Calls the webhook of one request, and remembers which tasks the accepted calls named."""

    stack: DeployedStack
    request_id: str
    key: SigningKey
    accepted: set[str] = field(default_factory=set)
    is_unsure: bool = False
    """Whether a call ended without a clear answer, so that it may be acted upon later."""

    def put_row(self) -> None:
        """A song that has ended, with everything published."""
        self.stack.dynamodb.put_item(
            TableName=self.stack.table,
            Item={
                "request_id": {"S": self.request_id},
                "status": {"S": Status.SUCCEEDED},
                "fingerprint": {"S": "doctor"},
                "task_id": {"S": f"{self.request_id}:own"},
                "clips": {"L": []},
                "end_published": {"BOOL": True},
                "updated_at": {"S": shown_moment(time.time())},
                "expires_at": {"N": in_a_day()},
            },
            ConditionExpression="attribute_not_exists(request_id)",
        )

    def call(self, path: str, task: str, before: bytes = b"{", path_key: SigningKey | None = None) -> int:
        """The status of a call. path: the id as in the URL. before: the body up to the member task_id."""
        task_id = f"{self.request_id}:{task}"
        body = (
            before + json.dumps({"task_id": task_id, "event": "song.completed", "code": 200, "data": []}).encode()[1:]
        )
        at = str(int(time.time()))
        secret = self.key.secret(self.request_id).encode()
        mac = (path_key or self.key).path_mac(self.request_id)
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Id": uuid.uuid4().hex,
            "X-Webhook-Event": "song.completed",
            "X-Webhook-Timestamp": at,
            "X-Webhook-Signature": f"sha256={hmac.new(secret, at.encode() + b'.' + body, hashlib.sha256).hexdigest()}",
        }
        try:
            status = self.stack.post(f"{self.stack.outputs['WebhookUrl']}/{path}/{mac}", headers, body)
        except OSError as failure:
            self.is_unsure = True
            raise CheckFailed(f"the endpoint cannot be reached ({type(failure).__name__}): check WebhookUrl") from None
        if status == HTTPStatus.OK:
            self.accepted.add(task_id)
        self.is_unsure |= status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return status

    def remove_row(self) -> bool:
        """Whether every accepted call was acted upon. Else the row stays: without it, a call becomes a dead letter."""

        def is_complete() -> bool | None:
            others = cast("list[str]", self.stack.row_attributes(self.request_id).get("other_task_ids", []))
            return self.accepted <= set(others) or None

        if self.is_unsure or not self.stack.wait_for(is_complete):
            return False
        self.stack.dynamodb.delete_item(TableName=self.stack.table, Key={"request_id": {"S": self.request_id}})
        return True
