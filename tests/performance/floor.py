"""(d), a theoretical minimum: raw sockets, requests built and signed by hand, no client library, one thread. It is not
meant as a design. It shows the share of the machine, the stubs and Python itself.
"""

import contextlib
import hashlib
import hmac
import json
import os
import selectors
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

TOKEN = "bench-secret-of-32-characters-or-more"

Answer = dict[str, Any]


class Connection:
    """One keep-alive connection to one service."""

    def __init__(self, origin: str, tls: ssl.SSLContext | None) -> None:
        address = urlsplit(origin)
        self.host = f"{address.hostname}:{address.port}"
        plain = socket.create_connection((address.hostname, address.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname=address.hostname) if tls else plain

    def send(self, head: str, body: bytes) -> None:
        self.socket.sendall(f"{head}Host: {self.host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def answer(self) -> Answer:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0 or len(data) < end + 4 + _length(data[:end]):
            data += self.socket.recv(65_536)
        answer: Answer = json.loads(data[end + 4 :])
        return answer


class Vendor:
    """The music API, with one connection for each concurrent create."""

    def __init__(self, origin: str, tls: ssl.SSLContext | None) -> None:
        self._origin = origin
        self._tls = tls
        self._idle: list[Connection] = []

    def send_create(self, song: Answer) -> Connection:
        connection = self._idle.pop() if self._idle else Connection(self._origin, self._tls)
        body = json.dumps({"title": song["title"], "sound": song["sound"], "lyrics": song["lyrics"]}).encode()
        head = f"POST /api/v1/producer/create HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        connection.send(head + "Content-Type: application/json\r\n", body)
        return connection

    def task_of(self, connection: Connection) -> str:
        task_id: str = connection.answer()["task_id"]
        self._idle.append(connection)
        return task_id


class Floor:
    """The handler: writes a row and sends a create for each song, and records each task when its response arrives."""

    def __init__(self, api: str, aws: str, table: str, tls: ssl.SSLContext | None) -> None:
        self._vendor = Vendor(api, tls)
        self._aws = (aws, tls)
        self._table = table
        self._dynamodb: Connection | None = None

    def __call__(self, event: Any, _context: object = None) -> dict[str, list[object]]:
        songs = [json.loads(record["body"]) for record in event["Records"]]
        with selectors.DefaultSelector() as waiting:
            for song in songs:
                self._write("PutItem", {"Item": _key(song) | _SUBMITTING, "ConditionExpression": _IS_NEW})
                connection = self._vendor.send_create(song)
                waiting.register(connection.socket, selectors.EVENT_READ, (song, connection))
            for _ in songs:
                self._settle_one(waiting)
        return {"batchItemFailures": []}

    def _settle_one(self, waiting: selectors.BaseSelector) -> None:
        key, _ = waiting.select()[0]
        waiting.unregister(key.fileobj)
        song, connection = key.data
        values = {":status": {"S": "SUBMITTED"}, ":task_id": {"S": self._vendor.task_of(connection)}}
        self._write("UpdateItem", {"Key": _key(song), **_SETTLE, "ExpressionAttributeValues": values})

    def _write(self, operation: str, parameters: Answer) -> None:
        self._dynamodb = self._dynamodb or Connection(*self._aws)
        body = json.dumps({"TableName": self._table, **parameters}).encode()
        self._dynamodb.send("POST / HTTP/1.1\r\n" + _signed(operation, body, self._dynamodb.host), body)
        self._dynamodb.answer()


def from_environment() -> Floor:
    """The handler; over TLS if the environment names a CA bundle."""
    bundle = os.environ.get("SSL_CERT_FILE")
    tls = ssl.create_default_context(cafile=bundle) if bundle else None
    return Floor(os.environ["RIVALS_API_ORIGIN"], os.environ["AWS_ENDPOINT_URL"], os.environ["LEDGER_TABLE"], tls)


def one_api_call(api: str, tls: ssl.SSLContext | None, song: Answer) -> float:
    """The seconds of one bare create on a new connection, by which the time of every batch is divided."""
    began = time.perf_counter()
    vendor = Vendor(api, tls)
    connection = vendor.send_create(song)
    vendor.task_of(connection)
    seconds = time.perf_counter() - began
    with contextlib.closing(connection.socket):
        return seconds


_IS_NEW = "attribute_not_exists(request_id)"
_SUBMITTING = {"status": {"S": "SUBMITTING"}}
_SETTLE = {
    "UpdateExpression": "SET #status = :status, task_id = :task_id",
    "ExpressionAttributeNames": {"#status": "status"},
}


def _key(song: Answer) -> Answer:
    return {"request_id": {"S": song["request_id"]}}


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def _signed(operation: str, body: bytes, host: str) -> str:
    """The headers of Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html"""
    at, target = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), f"DynamoDB_20120810.{operation}"
    scope = f"{at[:8]}/us-east-1/dynamodb/aws4_request"
    names = "host;x-amz-date;x-amz-target"
    canonical = f"POST\n/\n\nhost:{host}\nx-amz-date:{at}\nx-amz-target:{target}\n\n{names}\n"
    digest = hashlib.sha256((canonical + hashlib.sha256(body).hexdigest()).encode()).hexdigest()
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}"):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return (
        f"Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: {at}\r\nX-Amz-Target: {target}\r\nAuthorization: "
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={key.hex()}\r\n"
    )
