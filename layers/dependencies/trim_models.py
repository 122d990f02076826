"""Writes the part of botocore's data that the functions use: `python trim_models.py <folder>`, botocore on the path.

For its first client, botocore lists the folders of 443 services and parses the endpoints of all of them. With five
clients that is a third of a cold start. Only data that no function uses is left out, and the rest is unchanged: other
services and operations, and the documentation, which is four fifths of what is left.
The packages are not modified: song_intake.aws.clients reads this folder, if it exists, instead of botocore's own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

Model = dict[str, Any]

OPERATIONS = {
    "dynamodb": {"BatchExecuteStatement", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"},
    "events": {"PutEvents"},
    "lambda": {"GetEventSourceMapping", "UpdateEventSourceMapping"},
    "secretsmanager": {"GetSecretValue"},
    "sqs": {
        "ChangeMessageVisibilityBatch",
        "DeleteMessage",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
    },
    "stepfunctions": {"SendTaskFailure", "SendTaskSuccess"},
}
"""What the functions call. The clients of the integration tests have no other operations."""


def write(folder: Path) -> None:
    """Write the models of OPERATIONS, and what botocore needs beside them, to `folder`."""
    loader = Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
    prefixes = set()
    for service, operations in OPERATIONS.items():
        model = loader.load_service_model(service, "service-2")
        prefixes.add(model["metadata"]["endpointPrefix"])
        version = folder / service / loader.determine_latest_version(service, "service-2")
        _put(version / "service-2.json", _trimmed(model, operations))
        _put(version / "endpoint-rule-set-1.json", loader.load_service_model(service, "endpoint-rule-set-1"))
        _put(version / "paginators-1.json", _pagination(loader, service, operations))
    for name in ("partitions", "sdk-default-configuration"):
        _put(folder / f"{name}.json", loader.load_data(name))
    endpoints = loader.load_data("endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in prefixes}
    _put(folder / "endpoints.json", endpoints)


def _trimmed(model: Model, operations: set[str]) -> Model:
    """The model with only these operations, and the shapes that they consist of."""
    kept = {name: model["operations"][name] for name in sorted(operations)}
    shapes: Model = {}
    wanted = _shapes_in(kept)
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted |= _shapes_in(shapes[name])
    return {**model, "operations": kept, "shapes": dict(sorted(shapes.items()))}


def _shapes_in(node: object) -> set[str]:
    """Every shape with a reference {"shape": its name} at any depth. A member may also have the name "shape"."""
    if isinstance(node, list):
        return set().union(*map(_shapes_in, node))
    if not isinstance(node, dict):
        return set()
    inside = set().union(*map(_shapes_in, node.values()))
    return inside | {node["shape"]} if isinstance(node.get("shape"), str) else inside


def _pagination(loader: Loader, service: str, operations: set[str]) -> Model:
    try:
        known = loader.load_service_model(service, "paginators-1")["pagination"]
    except DataNotFoundError:
        known = {}
    return {"pagination": {name: rule for name, rule in known.items() if name in operations}}


def _undocumented(node: Any) -> Any:
    """The same data without its documentation. A member that has the name "documentation" is no text."""
    if isinstance(node, list):
        return [_undocumented(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _undocumented(value) for name, value in node.items()}
    return {name: value for name, value in kept.items() if name != "documentation" or not isinstance(value, str)}


def _put(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_undocumented(data), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
