"""The other end of the benchmark: one process that plays the music API's create and AWS, plain and over TLS.

It must cost far less than who calls it, so an answer is put together from a few bytes, and a connection is a callback.
It evaluates no condition: every write succeeds. What it was asked for is counted, so that a design which leaves out
part of the work is found out.

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

SECRET = "bench-secret"  # the API token and the key of the webhook alike
ASSIGNMENT = re.compile(r"(#?\w+) = (:\w+)")

Asked = dict[str, Any]


class Stub:
    """What all connections share."""

    def __init__(self) -> None:
        self.record = Record()
        self.latency = 0.0
        """Seconds that the music API takes for a create."""
        self._services: dict[str, Callable[[str, Asked], Asked]] = {
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

    def create(self, body: bytes) -> Asked:
        title = json.loads(body)["title"]
        self.record.created[title] += 1
        return {"code": 200, "message": "success", "task_id": task_of(title)}

    def aws(self, operation: str, body: bytes) -> Asked:
        self.record.calls[operation] += 1
        return self._services[operation](operation, json.loads(body))

    def control(self, path: str) -> Asked:
        match path.split("/")[2:]:
            case ["latency", milliseconds]:
                self.latency = int(milliseconds) / 1000
                return {}
            case _:
                self.record, told = Record(), self.record
                return {**told.as_json(), "cpu": time.process_time()}

    def _update(self, operation: str, asked: Asked) -> Asked:
        """Answers the row as it would be if it had not been there before."""
        self.record.wrote(operation, asked)
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        assigned = ASSIGNMENT.findall(asked.get("UpdateExpression", ""))
        return {"Attributes": asked["Key"] | {names.get(name, name): values[value] for name, value in assigned}}

    def _put(self, operation: str, asked: Asked) -> Asked:
        self.record.wrote(operation, asked)
        return {}

    def _statements(self, operation: str, asked: Asked) -> Asked:
        for statement in asked["Statements"]:
            self.record.wrote(operation, statement)
        return {"Responses": [{"TableName": "bench"} for _ in asked["Statements"]]}

    def _check(self, _operation: str, asked: Asked) -> Asked:
        self.record.checked(asked)
        return {"MessageId": "bench", "MD5OfMessageBody": "bench"}

    def _checks(self, operation: str, asked: Asked) -> Asked:
        for entry in asked["Entries"]:
            self.record.checked(entry)
        return _successful(operation, asked)

    def _events(self, _operation: str, asked: Asked) -> Asked:
        for entry in asked["Entries"]:
            self.record.announced(entry)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "bench"} for _ in asked["Entries"]]}


class Conversation(asyncio.Protocol):
    """One connection: whole requests in, answers out, kept alive unless the caller closes it."""

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
            self._take(target, operation, body, closes=b"\r\nconnection: close" in head)

    def _take(self, target: str, operation: str, body: bytes, *, closes: bool) -> None:
        if operation:
            self._answer(self._stub.aws(operation, body), closes=closes)
        elif target.startswith("/stub/"):
            self._answer(self._stub.control(target), closes=closes)
        else:
            answer = self._stub.create(body)
            asyncio.get_running_loop().call_later(self._stub.latency, lambda: self._answer(answer, closes=closes))

    def _answer(self, said: Asked, *, closes: bool) -> None:
        body = json.dumps(said).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)
        if closes:
            self._transport.close()


def _header(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"\r\n" + name + rb": *([^\r]*)", head, re.IGNORECASE)
    return found[1] if found else b""


def _nothing(_operation: str, _asked: Asked) -> Asked:
    return {}


def _secret(_operation: str, asked: Asked) -> Asked:
    return {"Name": asked["SecretId"], "SecretString": SECRET, "VersionStages": ["AWSCURRENT"]}


def _successful(_operation: str, asked: Asked) -> Asked:
    done = [{"Id": entry["Id"], "MessageId": "bench", "MD5OfMessageBody": "bench"} for entry in asked["Entries"]]
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
