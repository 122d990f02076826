"""Bodies that differ from the signed one, and senseless bodies that are signed."""

import json
from collections.abc import Callable
from typing import Final

from tests.local.webhooks.forger import Forger

_A_MEGABYTE: Final = 1024 * 1024

BODIES: Final[dict[str, Callable[[Forger], bytes]]] = {
    "truncated": lambda forger: forger.beginning(forger.genuine.body),
    "with a bit flipped": lambda forger: forger.flipped(forger.genuine.body),
    "empty": lambda _: b"",
    "twice": lambda forger: forger.genuine.body * 2,
    "with a line end": lambda forger: forger.genuine.body + b"\n",
    "with a byte order mark": lambda forger: b"\xef\xbb\xbf" + forger.genuine.body,
    # Equal for a receiver that verifies the parsed body in place of the raw bytes.
    "re-encoded": lambda forger: json.dumps(json.loads(forger.genuine.body), indent=1, sort_keys=True).encode(),
    "with another task": lambda forger: forger.body(task_id=forger.hexadecimal(32).decode()),
    "of another event": lambda forger: forger.body(event="song.deleted"),
    "padded to a megabyte": lambda forger: forger.genuine.body.ljust(_A_MEGABYTE),
    "a megabyte of noise": lambda forger: forger.random.randbytes(_A_MEGABYTE),
    "not JSON": lambda forger: b"task_id=" + forger.hexadecimal(32),
}


def _with_task_id(raw: bytes) -> Callable[[Forger], bytes]:
    """`raw` is the value's JSON."""
    return lambda forger: forger.body(task_id="@").replace(b'"@"', raw)


ODD_BODIES: Final[dict[str, Callable[[Forger], bytes]]] = {
    "empty": lambda _: b"",
    "of blanks": lambda _: b" \r\n\t",
    "not JSON": lambda _: b"<webhook>song.completed</webhook>",
    "truncated": lambda forger: forger.beginning(forger.genuine.body),
    "twice": lambda forger: forger.genuine.body * 2,
    "no UTF-8": lambda forger: b"\xff\xfe" + forger.genuine.body,
    "an array": lambda forger: b"[" + forger.genuine.body + b"]",
    "a string": lambda forger: json.dumps(forger.genuine.body.decode()).encode(),
    "a number": lambda _: b"200",
    "null": lambda _: b"null",
    # json.loads raises RecursionError, which is no ValueError.
    "nested deeply": lambda _: b"[" * 100_000,
    "over a megabyte": lambda forger: forger.body(padding="x" * _A_MEGABYTE),
    "without task_id": lambda forger: _without_task_id(forger.genuine.body),
    "with task_id null": _with_task_id(b"null"),
    "with task_id true": _with_task_id(b"true"),
    # json.loads raises a ValueError that is no JSONDecodeError.
    "with a task_id of 5000 digits": _with_task_id(b"9" * 5000),
    "with NaN as task_id": _with_task_id(b"NaN"),
    "with a list as task_id": lambda forger: forger.body(task_id=[forger.hexadecimal(32).decode()]),
    "with an object as task_id": lambda forger: forger.body(task_id={"S": forger.hexadecimal(32).decode()}),
    "with an empty task_id": _with_task_id(b'""'),
    "with a blank task_id": _with_task_id(b'"  "'),
    "with a task_id of 10 KB": lambda forger: forger.body(task_id=forger.hexadecimal(10 * 1024).decode()),
    "with control characters in task_id": lambda forger: forger.body(task_id=_controls(forger)),
    "with a line end in task_id": lambda forger: forger.body(task_id=forger.hexadecimal(8).decode() + "\r\nHost: a"),
    "with a NUL in task_id": lambda forger: forger.body(task_id=forger.hexadecimal(8).decode() + "\0"),
    # Legal JSON, and no encoder can write the string that comes of it.
    "with half a surrogate in task_id": _with_task_id(rb'"\ud800"'),
    "with a task_id beyond ASCII": lambda forger: forger.body(task_id="tâche-" + forger.hexadecimal(8).decode()),
}


def _without_task_id(body: bytes) -> bytes:
    return json.dumps({name: value for name, value in json.loads(body).items() if name != "task_id"}).encode()


def _controls(forger: Forger) -> str:
    return "".join(map(chr, forger.random.sample(range(1, 32), 5)))
