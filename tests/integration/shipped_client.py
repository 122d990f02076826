"""Clients with no more operations than the dependencies layer ships data for."""

import runpy
from pathlib import Path
from typing import Any

OPERATIONS: dict[str, set[str]] = runpy.run_path(
    str(Path(__file__).parents[2] / "layers" / "dependencies" / "trim_models.py")
)["OPERATIONS"]


class ShippedClient:
    """A boto3 client whose other operations are missing, as they are in a deployed function."""

    def __init__(self, service: str, client: Any) -> None:
        self._operations = OPERATIONS[service]
        self._client = client

    def __getattr__(self, name: str) -> Any:
        self._refuse_unless_shipped(name)
        return getattr(self._client, name)

    def get_paginator(self, operation_name: str) -> Any:
        self._refuse_unless_shipped(operation_name)
        return self._client.get_paginator(operation_name)

    def _refuse_unless_shipped(self, method: str) -> None:
        operation = self._client.meta.method_to_api_mapping.get(method)
        if operation is not None and operation not in self._operations:
            raise AttributeError(f"the data of the layer has no operation {operation}")
