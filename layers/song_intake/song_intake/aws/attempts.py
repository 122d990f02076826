"""How long an AWS call may take, so that the calls that follow an outcome fit into the time reserved for them.

The longest way from an outcome to its record, and the longest that each step may last:

    wait for the call of another thread      PATIENCE_SECONDS
    batched write: refused                   one call
    single write: fails                      one call
    dead letter: sent                        one call

    |- attempt -|- backoff -|- attempt -|    one call

Two things are not limited. Python has no time-out for resolving a name. And a time-out for reading begins anew with
every part of a response; the services send theirs in one part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.retries import standard
from botocore.retries.quota import RetryQuota

from song_intake.aws.group_commit import PATIENCE_SECONDS

if TYPE_CHECKING:
    from botocore.client import BaseClient

CALLS_IN_A_ROW = 3
ATTEMPTS = 2

# The longest wait between two attempts. botocore's own is up to 1 s, which is a third of the time of a call here.
BACKOFF_SECONDS = 0.1

# Our choice: the share of the time for our own work between the calls, on a processor that other threads use too.
OWN_SHARE = 0.05


def attempt_seconds(seconds: float) -> float:
    """The time-out of one attempt, with its connect, if the longest way above may take `seconds`."""
    call = (seconds * (1 - OWN_SHARE) - PATIENCE_SECONDS) / CALLS_IN_A_ROW
    return (call - (ATTEMPTS - 1) * BACKOFF_SECONDS) / ATTEMPTS


def retry_soon(client: BaseClient) -> None:
    """Replace botocore's retries by the same ones with a shorter wait. botocore has no setting for the wait."""
    service = client.meta.service_model.service_id.hyphenize()
    events = client.meta.events
    events.unregister(f"needs-retry.{service}", unique_id=f"retry-config-{service}")
    quota = standard.RetryQuotaChecker(RetryQuota())
    # The stubs expect a whole number of seconds, another class for the quota, and handlers that return nothing.
    backoff = standard.ExponentialBackoff(max_backoff=BACKOFF_SECONDS)  # type: ignore[arg-type]
    policy = standard.RetryPolicy(standard.StandardRetryConditions(ATTEMPTS), backoff)
    retries = standard.RetryHandler(policy, standard.RetryEventAdapter(), quota)  # type: ignore[arg-type]
    events.register(f"needs-retry.{service}", retries.needs_retry)  # type: ignore[arg-type]
    events.register(f"after-call.{service}", quota.release_retry_quota)
