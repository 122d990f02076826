"""Sends one request."""

from __future__ import annotations

import json
import uuid
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import IO, Any

import click

from song_intake.aws.failure import AWS_FAILURES
from song_intake.commands.failure_lines import failure_line
from song_intake.commands.options import RequestId
from song_intake.commands.program import OperatorCommand
from song_intake.commands.stack import CommandFailed, Target
from song_intake.commands.terminal import print_json, print_line, print_note
from song_intake.contract.request_id import as_request_id
from song_intake.contract.strict_json import NotStrictJson, parse

_LARGEST_BYTES = 64 * 1024


@click.command(cls=OperatorCommand)
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of the request; repeatable.")
@click.option("--id", "given_id", type=RequestId(), help="The request_id, in place of that of the file.")
@click.pass_obj
def send(target: Target, file: IO[bytes] | None, fields: tuple[str, ...], given_id: str | None) -> None:
    """Send a request: a FILE with its JSON, - for the standard input, or fields. Prints its request_id.

    A request without a request_id gets one, which is printed before the request is sent: if the answer of SQS is lost,
    send it again with this --id, and it is one song.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      send events/instrumental.json
      send --field title="Toast at Noon" --field sound="slow folk"
      send - < request.json
    """
    if file is None and not fields:
        raise click.UsageError("give a FILE, - for the standard input, or --field NAME=VALUE")
    song = {**(_song_in(file) if file else {}), **dict(map(_field, fields))}
    song_id = song.get("request_id") if given_id is None else given_id
    # An empty id is refused: a caller who makes it by mistake, and sends twice, would pay twice for a random one.
    request_id: str = f"song-{uuid.uuid4()}" if song_id is None else song_id
    if as_request_id(request_id) is None:
        raise click.UsageError(f"the request_id is {RequestId.wanted}, not {request_id!r}")
    body = json.dumps({**song, "request_id": request_id}, ensure_ascii=False)
    if len(body.encode()) > _LARGEST_BYTES:
        raise CommandFailed(f"the request has more than {_LARGEST_BYTES} bytes")
    url = target.output("SongRequestsQueueUrl")
    (print_note if target.is_json else print_line)(request_id)
    try:
        message_id = target.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
    except AWS_FAILURES as failure:
        again = f"If it was lost on the way, send it again with --id {request_id}: it is one song."
        raise CommandFailed(f"{failure_line(failure)}. {again}") from None
    if target.is_json:
        print_json({"request_id": request_id, "message_id": message_id})
    else:
        print_note(f"sent as message {message_id}")


def _song_in(file: IO[bytes]) -> dict[str, Any]:
    try:
        song = parse(file.read().decode())
    except (NotStrictJson, UnicodeDecodeError) as failure:
        raise click.UsageError(f"{file.name} is no request: {failure}") from None
    if not isinstance(song, dict):
        raise click.UsageError(f"{file.name} is no request: it must be a JSON object")
    return song


def _field(typed: str) -> tuple[str, Any]:
    """A field and its value: as JSON where the contract has no text."""
    name, is_pair, text = typed.partition("=")
    if not is_pair:
        raise click.UsageError(f"--field: use NAME=VALUE, not {typed!r}")
    properties = _properties()
    if name not in properties:
        close = get_close_matches(name, properties, n=1)
        raise click.UsageError(f"--field: no field {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    if properties[name].get("type", "string") == "string":
        return name, text
    try:
        return name, parse(text)
    except NotStrictJson:
        raise click.UsageError(f"--field: {name} is a {properties[name]['type']} in JSON, not {text!r}") from None


@cache
def _properties() -> dict[str, Any]:
    schema = files("song_intake.contract").joinpath("song_request.schema.json").read_text(encoding="utf-8")
    properties: dict[str, Any] = json.loads(schema)["properties"]
    return properties
