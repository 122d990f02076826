"""No repr of an object of the package shows a token, a key, a prompt or a task token."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from song_intake.app.resolve import ResolveSettings, resolve_song
from song_intake.app.submit import submit_song
from song_intake.contract import envelopes
from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.ledger.claim import Claim
from song_intake.ledger.resolving import ResolutionStore
from song_intake.work.create_call import CreateCall
from tests.conftest import TOKEN
from tests.integration.bench import ENDPOINT, Bench, new_id, plenty_of_time, record_of, song
from tests.integration.following import check_batch
from tests.integration.switching import SimulatedMappings, switch_of
from tests.integration.test_webhook_reception import endpoint_of
from tests.signing import SIGNING_KEY

LYRICS, WEBHOOK_SECRET, TASK_TOKEN = "canary lyrics", "canary-secret", "canary-token"
CANARIES = (TOKEN, SIGNING_KEY, LYRICS, WEBHOOK_SECRET, TASK_TOKEN)
CREATES_PER_MINUTE = 600


def objects_in(*roots: object) -> Iterator[object]:
    """Every object that can be reached from the roots through containers, closures and objects of the package."""
    seen: dict[int, object] = {}
    queue = list(roots)
    while queue:
        found = queue.pop()
        if id(found) not in seen:
            # Kept, so that no other object gets the same id.
            seen[id(found)] = found
            queue.extend(_children(found))
            yield found


def _children(found: object) -> list[object]:
    if isinstance(found, Mapping):
        return [*found, *found.values()]
    if isinstance(found, list | tuple | set | frozenset):
        return list(found)
    closure = getattr(found, "__closure__", None) or ()
    children = [getattr(found, "__self__", None), *(cell.cell_contents for cell in closure)]
    if is_ours(found):
        slots = [name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ())]
        children += [getattr(found, name, None) for name in slots]
        children += getattr(found, "__dict__", {}).values()
    return children


def is_ours(found: object) -> bool:
    return type(found).__module__.startswith("song_intake.")


def resolution_settings(bench: Bench) -> ResolveSettings:
    return ResolveSettings(
        music_api_origin=bench.vendor.origin,
        api_token_secret_arn=bench.secret_id,
        connect_timeout=1,
        poll_deadline=1,
        ca_bundle=None,
        ledger_table=bench.table,
        keep_days=90,
        song_checks_queue_url=bench.checks.url,
        event_bus_name=bench.bus.name,
        first_check=1,
        lease=1,
        function_timeout=1,
    )


def functions_after_use(bench: Bench) -> list[object]:
    """The five functions, as they are built; those that read a secret have read it."""
    settings = replace(
        bench.submit_settings(),
        webhook_url=ENDPOINT,
        signing_key_secret_arn=bench.signing_key_id,
        creates_per_minute=CREATES_PER_MINUTE,
    )
    submit = submit_song(settings, bench.clients(), bench.telemetry)
    submit.handle([record_of(song("Kettle", lyrics=LYRICS))], plenty_of_time)
    track = check_batch(bench)
    track.handle(bench.checks.records(), plenty_of_time)
    webhook = endpoint_of(bench)
    webhook.keys.current_first()
    switch = switch_of(bench, SimulatedMappings())
    switch.balance()
    return [submit, track, webhook, resolve_song(resolution_settings(bench), bench.clients(), bench.telemetry), switch]


def values_of_one_request(bench: Bench) -> list[object]:
    """What submit_song passes on while it handles one request."""
    work = bench.request_work(bench.submission(webhook=bench.webhook(window=60)))
    own_webhook = {"webhook_url": "https://songs.example/hook", "webhook_secret": WEBHOOK_SECRET}
    body = song("Kettle", new_id("request"), lyrics=LYRICS, task_token=TASK_TOKEN, **own_webhook)
    message = Message.of(record_of(body, attributes={"prompt": LYRICS}))
    request = SongRequest.parse(body, message.message_id)
    token = work.submission.api_token.current()
    report = work.decide(message, plenty_of_time)
    row = ResolutionStore(bench.ledger_table()).row(request.request_id)
    assert row is not None
    assert row.task_tokens == (TASK_TOKEN,)
    unwrapped = envelopes.unwrap(json.dumps({"detail-type": "x", "source": "x", "detail": json.loads(body)}))
    call = CreateCall(token, request.create_body)
    return [message, request, token, row, report, Claim(request, "owner"), call, unwrapped]


def test_no_repr_shows_a_secret_or_a_prompt(bench: Bench) -> None:
    found = list(objects_in(functions_after_use(bench), values_of_one_request(bench)))
    texts = [text.decode() if isinstance(text, bytes) else text for text in found if isinstance(text, str | bytes)]
    reached = " ".join(texts)
    assert [canary for canary in CANARIES if canary not in reached] == [], "each canary is in one of the objects"
    ours = [one for one in found if is_ours(one)]
    assert len({type(one) for one in ours}) > 30
    assert [type(one) for one in ours if any(canary in repr(one) for canary in CANARIES)] == []
