"""The stub of the benchmark: one process that simulates the music API's create and AWS, with and without TLS.

It must use far less CPU time than its callers, so responses are short and connections are asyncio callbacks. It
evaluates no conditions: every write succeeds. It counts the requests, so that a design cannot omit a part of the work.

    python -m tests.performance.stub_server FOLDER      prints its ports, writes FOLDER/ca.pem; ends with its stdin
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.local.vendor.tls import issue_certificate
from tests.performance.stub_record import Record, task_of

SECRET = "bench-secret-of-32-characters-or-more"  # the value of both secrets: the API token and the signing key
ASSIGNMENT = re.compile(r"(#?\w+) = (:\w+)")

Json = dict[str, Any]


class Stub:
    """The state that all connections share."""

    def __init__(self) -> None:
        self.record = Record()
        self.latency = 0.0
        """The duration of a create, in seconds."""
        self._services: dict[str, Callable[[str, Json], Json]] = {
            "UpdateItem": self._update,
            "PutItem": self._put,
            "GetItem": _nothing,
            "DeleteItem": _nothing,
            "BatchExecuteStatement": self._statements,
            "SendMessage": self._check,
            "SendMessageBatch": self._checks,
            "ChangeMessageVisibilityBatch": _successful,
            "PutEvents": self._events,
            "GetSecretValue": _secret,
        }

    def create(self, body: bytes) -> Json:
        title = json.loads(body)["title"]
        self.record.created[title] += 1
        return {"code": 200, "message": "success", "task_id": task_of(title)}

    def aws(self, operation: str, body: bytes) -> Json:
        self.record.calls[operation] += 1
        return self._services[operation](operation, json.loads(body))

    def control(self, path: str) -> Json:
        match path.split("/")[2:]:
            case ["latency", milliseconds]:
                self.latency = int(milliseconds) / 1000
                return {}
            case _:
                self.record, last = Record(), self.record
                return {**last.as_json(), "cpu": time.process_time()}

    def _update(self, operation: str, parameters: Json) -> Json:
        """Respond with the row, as if it had not existed before."""
        self.record.add_write(operation, parameters)
        names, values = parameters.get("ExpressionAttributeNames", {}), parameters.get("ExpressionAttributeValues", {})
        assigned = ASSIGNMENT.findall(parameters.get("UpdateExpression", ""))
        return {"Attributes": parameters["Key"] | {names.get(name, name): values[value] for name, value in assigned}}

    def _put(self, operation: str, parameters: Json) -> Json:
        self.record.add_write(operation, parameters)
        return {}

    def _statements(self, operation: str, parameters: Json) -> Json:
        for statement in parameters["Statements"]:
            self.record.add_write(operation, statement)
        return {"Responses": [{"TableName": "bench"} for _ in parameters["Statements"]]}

    def _check(self, _operation: str, parameters: Json) -> Json:
        self.record.add_check(parameters)
        return {"MessageId": "bench", "MD5OfMessageBody": "bench"}

    def _checks(self, operation: str, parameters: Json) -> Json:
        for entry in parameters["Entries"]:
            self.record.add_check(entry)
        return _successful(operation, parameters)

    def _events(self, _operation: str, parameters: Json) -> Json:
        for entry in parameters["Entries"]:
            self.record.add_event(entry)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "bench"} for _ in parameters["Entries"]]}


class Conversation(asyncio.Protocol):
    """One connection. It is kept alive unless the caller closes it."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(_header(head, b"content-length") or 0)
            if len(self._buffer) < end + 4 + length:
                return
            target = self._buffer.split(b" ", 2)[1].decode()
            body = self._buffer[end + 4 : end + 4 + length]
            operation = _header(self._buffer[:end], b"x-amz-target").decode().rpartition(".")[2]
            self._buffer = self._buffer[end + 4 + length :]
            self._handle(target, operation, body, closes=b"\r\nconnection: close" in head)

    def _handle(self, target: str, operation: str, body: bytes, *, closes: bool) -> None:
        if operation:
            self._answer(self._stub.aws(operation, body), closes=closes)
        elif target.startswith("/stub/"):
            self._answer(self._stub.control(target), closes=closes)
        else:
            answer = self._stub.create(body)
            asyncio.get_running_loop().call_later(self._stub.latency, lambda: self._answer(answer, closes=closes))

    def _answer(self, response: Json, *, closes: bool) -> None:
        body = json.dumps(response).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)
        if closes:
            self._transport.close()


def _header(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"\r\n" + name + rb": *([^\r]*)", head, re.IGNORECASE)
    return found[1] if found else b""


def _nothing(_operation: str, _parameters: Json) -> Json:
    return {}


def _secret(_operation: str, parameters: Json) -> Json:
    return {"Name": parameters["SecretId"], "SecretString": SECRET, "VersionStages": ["AWSCURRENT"]}


def _successful(_operation: str, parameters: Json) -> Json:
    done = [{"Id": entry["Id"], "MessageId": "bench", "MD5OfMessageBody": "bench"} for entry in parameters["Entries"]]
    return {"Successful": done, "Failed": []}


async def serve(folder: Path) -> None:
    stub, loop = Stub(), asyncio.get_running_loop()
    tls = issue_certificate(folder / "ca.pem")
    plain = await loop.create_server(lambda: Conversation(stub), "127.0.0.1", 0, backlog=1024)
    secure = await loop.create_server(lambda: Conversation(stub), "127.0.0.1", 0, backlog=1024, ssl=tls)
    print(plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(serve(Path(sys.argv[1])))
