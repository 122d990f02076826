"""The event of a webhook that an HTTP API passes to a function, for tests that call the handler directly."""

import base64
from urllib.parse import unquote

from tests.local.webhooks.call import WebhookCall

ROUTE = "POST /{request_id}/{mac}"


def lambda_event(call: WebhookCall, *, lies_about_base64: bool = False) -> dict[str, object] | None:
    """The event of payload format 2.0, or None for a call without a route, which the gateway answers itself.

    A body that is not UTF-8 comes in base64, the form without a loss. AWS does not document whether JSON does too.

    With `lies_about_base64`, `isBase64Encoded` is wrong. No gateway does that, but a caller of the function can. For a
    forgery whose body is the genuine one in base64, the wrong value is right, and it is accepted. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    path, _, query = call.path.partition("?")
    segments = path.split("/")[1:]
    if call.method != "POST" or len(segments) != 2 or not all(segments):
        return None
    body, is_base64 = _body(call.body)
    return {
        "version": "2.0",
        "routeKey": ROUTE,
        "rawPath": unquote(path, errors="replace"),
        "rawQueryString": query,
        "headers": {name.lower(): value.decode("latin-1") for name, value in call.headers.items()},
        "pathParameters": {
            name: unquote(value, errors="replace") for name, value in zip(("request_id", "mac"), segments, strict=True)
        },
        "requestContext": {"http": {"method": call.method, "path": path, "sourceIp": "127.0.0.1"}, "routeKey": ROUTE},
        "body": body,
        "isBase64Encoded": is_base64 is not lies_about_base64,
    }


def _body(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True
