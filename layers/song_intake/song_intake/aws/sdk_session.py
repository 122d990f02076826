"""botocore's session, without the event handlers that no client of the functions reaches.

botocore registers 127 handlers, checks the signature of each, and copies them for every client. Ten of them concern
the functions' services, or all services. The others would cost 5 % of a cold start.
"""

from __future__ import annotations

from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session

# The services that have clients, but for S3. An event has the service's id, its endpoint's prefix or its name.
_SERVICES = frozenset(
    (
        "dynamodb",
        "eventbridge",
        "events",
        "lambda",
        "secrets-manager",
        "secretsmanager",
        "sfn",
        "sqs",
        "states",
        "stepfunctions",
    )
)


def sdk_session(*, with_s3: bool = False) -> Session:
    """A session for the clients of the functions. with_s3: only one function has a client of S3."""
    services = _SERVICES | {"s3"} if with_s3 else _SERVICES
    session = Session(include_builtin_handlers=False)
    emitter = session.get_component("event_emitter")
    register_at = {REGISTER_FIRST: emitter.register_first, REGISTER_LAST: emitter.register_last}
    for event, handler, *place in BUILTIN_HANDLERS:
        if _concerns(services, event):
            register = register_at[place[0]] if place else emitter.register
            register(event, handler)
    return session


def _concerns(services: frozenset[str], event: str) -> bool:
    """An event is named kind[.service[.operation]]. Those of the kind `docs` only serve to write documentation."""
    kind, *place = event.split(".")
    return kind != "docs" and (not place or place[0] == "*" or place[0] in services)
