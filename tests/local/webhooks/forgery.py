"""Webhooks that no receiver may accept, derived from a genuine one: forged, ahead of time, truncated, huge, odd.

A call that is only old is no forgery: it may settle a request in doubt.

    for call in forgeries(Genuine(request_id, mac, secret, body)):
        assert call.send(destination) in {400, 401, 403, 404, 405, 413}

Each kind of forgery is a row of KINDS, or of the tables that KINDS is built from.
"""

import base64
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tests.local.webhooks.call import PREFIX, SIGNATURE, TIMESTAMP, Genuine, WebhookCall, unix_time
from tests.local.webhooks.forged_bodies import BODIES, ODD_BODIES
from tests.local.webhooks.forged_headers import SIGNATURES, TIMESTAMPS
from tests.local.webhooks.forged_paths import PATHS
from tests.local.webhooks.forger import Forger

Kind = Callable[[Forger], WebhookCall]

_METHODS: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")


def forgeries(genuine: Genuine, count: int = 500, seed: int = 20) -> Iterator[WebhookCall]:
    """`count` calls, the same for each seed except for times and ids; every kind occurs before any kind repeats.

    Calls with `is_authentic` have a senseless body that is signed with the secret. A receiver has to refuse them too.
    Each call is created when the iterator reaches it, so it is fresh unless its time is the forgery.
    """
    forger = Forger(genuine, random.Random(seed))  # noqa: S311 - chance, not secrecy
    for number, (name, forge) in enumerate(itertools.islice(itertools.cycle(KINDS.items()), count)):
        yield replace(forge(forger), name=f"{number:03} {name}")


def _under_signature(make: Callable[[Forger, WebhookCall], bytes | None]) -> Kind:
    def forge(forger: Forger) -> WebhookCall:
        call = forger.genuine.call()
        return _forged(call.with_header(SIGNATURE, make(forger, call)))

    return forge


def _at_time(make: Callable[[Forger, int], bytes]) -> Kind:
    """Signed with that timestamp, and only the timestamp is wrong."""
    return lambda forger: _forged(forger.genuine.call(timestamp=make(forger, int(time.time()))))


def _with_body(make: Callable[[Forger], bytes]) -> Kind:
    """With the signature of the genuine body."""
    return lambda forger: _forged(replace(forger.genuine.call(), body=make(forger)))


def _to_path(make: Callable[[Forger], str]) -> Kind:
    """Signed with the secret of the request, and sent to another address."""
    return lambda forger: _forged(replace(forger.genuine.call(), path=make(forger)))


def _by_method(method: str) -> Kind:
    return lambda forger: _forged(replace(forger.genuine.call(), method=method))


def _signed(make: Callable[[Forger], bytes]) -> Kind:
    return lambda forger: forger.genuine.call(body=make(forger))


def _without_timestamp(forger: Forger) -> WebhookCall:
    """Signed as if the timestamp were present and empty."""
    return _forged(forger.genuine.call(timestamp=b"").with_header(TIMESTAMP, None))


def _older_scheme(forger: Forger) -> WebhookCall:
    """`X-Signature` over only the body. Without a timestamp, a recorded call would be valid forever."""
    call = forger.genuine.call().with_header(SIGNATURE, None)
    return _forged(call.with_header("X-Signature", PREFIX + forger.genuine.sign(call.body)))


def _older_scheme_renamed(forger: Forger) -> WebhookCall:
    call = forger.genuine.call().with_header(TIMESTAMP, None)
    return _forged(call.with_header(SIGNATURE, PREFIX + forger.genuine.sign(call.body)))


def _replayed_as_new(forger: Forger) -> WebhookCall:
    """Recorded and sent again under the time of day."""
    return _forged(_recorded(forger).with_header(TIMESTAMP, unix_time(time.time())))


def _recorded(forger: Forger) -> WebhookCall:
    return forger.genuine.call(timestamp=unix_time(time.time() - forger.stale_by()))


def _encoded(header: str) -> Kind:
    """The signed body, encoded: a receiver that decodes it because of the header accepts bytes that were not signed."""

    def forge(forger: Forger) -> WebhookCall:
        call = forger.genuine.call()
        return _forged(replace(call, body=base64.b64encode(call.body)).with_header(header, b"base64"))

    return forge


def _forged(call: WebhookCall) -> WebhookCall:
    return replace(call, is_authentic=False)


KINDS: Final[dict[str, Kind]] = {
    **{f"signature {name}": _under_signature(make) for name, make in SIGNATURES.items()},
    **{f"timestamp {name}": _at_time(make) for name, make in TIMESTAMPS.items()},
    "timestamp missing": _without_timestamp,
    "older scheme": _older_scheme,
    "older scheme under the new name": _older_scheme_renamed,
    "replayed as new": _replayed_as_new,
    **{f"body {name}": _with_body(make) for name, make in BODIES.items()},
    **{f"body in base64 by {header}": _encoded(header) for header in ("Content-Encoding", "Content-Transfer-Encoding")},
    **{f"path {name}": _to_path(make) for name, make in PATHS.items()},
    **{f"method {method}": _by_method(method) for method in _METHODS},
    **{f"signed body {name}": _signed(make) for name, make in ODD_BODIES.items()},
}
"""Every kind of forgery, by name."""
