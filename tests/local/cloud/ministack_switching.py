"""The event source mapping: a change of it is accepted first, and done later."""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

Mapping = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Update = Callable[[str, dict[str, Any]], Answer]
Delete = Callable[[str], Answer]

# Up to a minute on AWS; short here, because tests wait for it.
SECONDS = "MAPPING_SWITCH_SECONDS"
DEFAULT_SECONDS = "0.5"

SETTLED = ("Enabled", "Disabled")


def mend() -> None:
    lambda_svc._update_esm = _changes_it_later(lambda_svc._update_esm)
    lambda_svc._delete_esm = _refuses_during_a_change(lambda_svc._delete_esm)


def _changes_it_later(update: Update) -> Update:
    """An update is accepted (202) and done later: until then the mapping is Enabling, Disabling or Updating.

    Until the change is done, the poller goes on as before: a mapping that is Disabling may still deliver.
    (EventSourceMappingConfiguration, `State`)
    """

    @functools.wraps(update)
    def updating(uuid: str, request: dict[str, Any]) -> Answer:
        mapping = lambda_svc._esms.get(uuid)
        if mapping is not None and mapping["State"] not in SETTLED:
            return _in_use("update")
        others = {name: value for name, value in request.items() if name != "Enabled"}
        answer = update(uuid, others)
        if mapping is None or answer[0] >= 300:
            return answer
        enabled = request.get("Enabled", mapping["Enabled"])
        is_switched = enabled != mapping["Enabled"]
        mapping["State"] = ("Enabling" if enabled else "Disabling") if is_switched else "Updating"
        seconds = float(os.environ.get(SECONDS, DEFAULT_SECONDS))
        timer = threading.Timer(seconds, _end, (mapping, mapping["State"]), {"enabled": enabled})
        timer.daemon = True
        timer.start()
        accepted: Answer = lambda_svc.json_response(lambda_svc._esm_response(mapping), 202)
        return accepted

    return updating


def _end(mapping: Mapping, state: str, *, enabled: bool) -> None:
    if mapping["State"] == state:  # not in between changed by CloudFormation, or deleted
        mapping["Enabled"] = enabled
        mapping["State"] = "Enabled" if enabled else "Disabled"
        lambda_svc.esm_wake.set()


def _refuses_during_a_change(delete: Delete) -> Delete:
    """A mapping that is being changed can be neither updated nor deleted (DeleteEventSourceMapping, Errors)."""

    @functools.wraps(delete)
    def deleting(uuid: str) -> Answer:
        mapping = lambda_svc._esms.get(uuid)
        return _in_use("delete") if mapping is not None and mapping["State"] not in SETTLED else delete(uuid)

    return deleting


def _in_use(verb: str) -> Answer:
    message = f"Cannot {verb} the event source mapping because it is in use."
    refusal: Answer = lambda_svc.error_response_json("ResourceInUseException", message, 400)
    return refusal
