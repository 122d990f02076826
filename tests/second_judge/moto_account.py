"""An AWS account that moto simulates, behind TLS on loopback, without batched statements.

moto's own server requires Flask and the packages of all services. Here its simulation of the services is called by the
HTTPS server of the tests, so the clients use real connections, and nothing in the process is patched.
"""

import importlib
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.local.cloud.aws_clients import AwsClients
from tests.local.vendor.answer import Answer
from tests.local.vendor.server import HOST, HttpsServer, Reply, Request
from tests.local.vendor.tls import issue_certificate

BATCHED = "BatchExecuteStatement"
SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
REFUSAL = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "simulated"}).encode()


class MotoAccount:
    """Its state is of this process, and is never reset: the names of a bench are unique.

    `calls`: how often each operation of a service with JSON targets was called, refused or not.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_bundle = folder / "moto-ca.pem"
        self.calls: Counter[str] = Counter()
        # moto takes almost a second to import, and every worker of pytest-xdist imports the modules of all tests.
        self._services = importlib.import_module("moto.core.models").botocore_stubber
        self._server = HttpsServer(0, issue_certificate(self.ca_bundle), self._respond)
        self.endpoint_url = f"https://{HOST}:{self._server.port}"
        self._administrator = AwsClients(self.endpoint_url, self.ca_bundle)
        self.client = self._administrator.client
        # moto checks a condition and writes the item in two steps, without a lock. On DynamoDB, only one of two writes
        # with the same condition succeeds:
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
        self._one_by_one = threading.Lock()

    def __enter__(self) -> Self:
        self._server.accept_connections()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._administrator.close()
        self._server.close()

    def _respond(self, request: Request) -> Reply:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        with self._one_by_one:
            self.calls[operation] += 1
            if operation == BATCHED:
                return Reply(Answer(400, REFUSAL, "application/x-amz-json-1.0"))
            return Reply(_as_answer(self._services.process_request(_for_moto(request))))


def _for_moto(request: Request) -> AWSPreparedRequest:
    """moto recognises a service by its host. The host is another one here, but the signature has the service."""
    scope = SCOPE.search(request.headers["authorization"])
    assert scope is not None
    headers = HTTPHeaders()
    for name, value in request.headers.items():
        if name != "host":
            headers[name] = value
    url = "https://{service}.{region}.amazonaws.com".format(**scope.groupdict()) + request.path
    return AWSPreparedRequest(request.method, url, headers, request.body, stream_output=False)


def _as_answer(answered: tuple[int, Mapping[str, object], str | bytes]) -> Answer:
    status, headers, body = answered
    kept = tuple((name, str(value)) for name, value in headers.items() if name.lower().startswith("x-amz"))
    content = body.encode() if isinstance(body, str) else body
    return Answer(status, content, str(headers.get("content-type", "application/json")), kept)
