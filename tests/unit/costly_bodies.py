"""Bodies that cost much to judge: for each field and each rule of the contract, as large as a request may be.

A body with many values is given in two sizes: as many as fit into 64 KiB, and as many as the contract accepts.
"""

import base64
import json
from collections.abc import Callable, Iterator

from song_intake.contract import schema
from song_intake.contract.strict_json import MAX_VALUES, JsonValue

SIZE = 64 * 1024
MESSAGE_SIZE = 256 * 1024
FEW = MAX_VALUES - 10
"""As many values as the contract accepts, with some left for the rest of the body."""

Part = Callable[[int], str]


def all_bodies() -> Iterator[tuple[str, str]]:
    """A name and a body. They are made one after the other, so that a process need not hold them all."""
    yield from _of_each_field()
    yield from _of_the_metadata()
    yield from _of_many_values()
    yield from _of_long_texts()
    yield from _of_numbers()
    yield from _of_whole_messages()


def in_envelopes(body: str) -> Iterator[str]:
    """The body alone, and inside each envelope."""
    yield body
    sns = _text({"Type": "Notification", "TopicArn": "arn", "MessageId": "id", "Message": body})
    yield sns
    yield f'{{"detail-type": "song", "source": "shop", "id": "id", "detail": {body}}}'
    data = base64.b64encode(body.encode(errors="surrogatepass")).decode()
    yield _text({"eventSource": "aws:kinesis", "eventID": "id", "data": data})
    pipe = _text({"eventSource": "aws:sqs", "messageId": "id", "body": sns})
    yield pipe
    yield _text({"eventSource": "aws:sqs", "messageId": "id", "body": pipe})


def _of_each_field() -> Iterator[tuple[str, str]]:
    fields = sorted(schema.FIELDS)
    yield "every field of a wrong type", _text({name: [] for name in fields})
    yield "every field empty", _text(dict.fromkeys(fields, ""))
    yield "every number below its minimum", _text(dict.fromkeys(fields, -(10**300)))
    yield "every field wrong", _text(dict.fromkeys(fields, "\x01" * (SIZE // len(fields) // 8)))
    for name in fields:
        yield f"{name}: a long text", _repeated(f'{{"{name}":"', "1", '"}')
        yield f"{name}: control characters", _repeated(f'{{"{name}":"', "\\u0001", '"}')
        for many in (SIZE, FEW):
            yield f"{name}: {many} in a list", _filled(f'{{"{name}":[', lambda _: "[]", "]}", many)
            yield f"{name}: {many} in an object", _filled(f'{{"{name}":{{', lambda n: f'"{n:x}":[]', "}}", many)


def _of_the_metadata() -> Iterator[tuple[str, str]]:
    begin = '{"sound":"x","metadata":{'
    bulky: dict[str, Part] = {"text": lambda _: "v", "list": lambda _: "0,", "integer": lambda _: "7"}
    quotes = {"text": ('"', '"'), "list": ("[", "0]"), "integer": ("", "")}
    for keys in (150, 300, 475, FEW // 2):
        long_keys = begin + "".join(f'"{number:065}":"",' for number in range(keys))
        for kind, part in bulky.items():
            opening, closing = quotes[kind]
            yield (
                f"{keys} long keys and a {kind}",
                _filled(
                    f'{long_keys}"k":{opening}',
                    part,
                    f"{closing}}}}}",
                    (MAX_VALUES - keys - 10 if kind == "list" else SIZE),
                    "",
                ),
            )
    yield "excluded characters in keys", _filled(begin, lambda n: f'"\\u0007{n}":""', "}}", FEW)
    yield "excluded characters in values", _filled(begin, lambda n: f'"{n}":"{chr(92)}u0007{"v" * 50}"', "}}", FEW)
    yield "long values", _filled(begin, lambda n: f'"{n}":"{"v" * 257}"', "}}", FEW)


def _of_many_values() -> Iterator[tuple[str, str]]:
    for many in (SIZE, FEW):
        yield f"{many} unknown fields", _filled('{"sound":"x",', lambda n: f'"{n:x}":0', "}", many)
        yield f"{many} fields with a near name", _filled("{", lambda n: f'"lyrics_strengt{n:x}":0', "}", many)
        yield f"{many} fields with a hidden name", _filled("{", lambda n: f'"\u00e9{n:x}":0', "}", many)
        yield f"{many} times one key", _filled("{", lambda _: '"a":0', "}", many)
        yield f"{many} times 300 keys", _filled("{", lambda n: f'"{n % 300:x}":0', "}", many)
        yield f"{many} small objects", _filled('{"sound":[', lambda _: '{"":0}', "]}", many // 2)
        yield f"{many} numbers", _filled("[", lambda _: "0", "]", many)
        yield f"{many} lone surrogates", _filled('{"sound":[', lambda _: '"\\ud800"', "]}", many)
    yield "unknown fields with long names", _filled("{", lambda n: f'"{n:040}":0', "}", FEW)
    yield "deep lists", _filled("[", lambda _: "[" * 30 + "]" * 30, "]", FEW // 31)
    yield "deep objects", _filled("[", lambda _: '{"":' * 30 + "0" + "}" * 30, "]", FEW // 31)


def _of_long_texts() -> Iterator[tuple[str, str]]:
    for name, part in {
        "letters": "a",
        "spaces": " ",
        "blank characters": "\u3000",
        "notes": "\N{MUSICAL NOTE}",
        "escaped letters": "\\u00e9",
        "escaped pairs": "\\ud83c\\udfb5",
        "half pairs": "\\ud83c",
        "backslashes": "\\\\",
        "line breaks": "\\n",
        "brackets": "[{",
    }.items():
        yield f"a text of {name}", _repeated('{"lyrics":"', part, '"}')
        yield f"a half pair after {name}", _repeated('{"lyrics":"', part, '\\ud800"}')


def _of_numbers() -> Iterator[tuple[str, str]]:
    begin = '{"sound":"x","weirdness":'
    for name, opening, part, closing in (
        ("an integer", "-", "9", ""),
        ("a fraction", "0.", "7", ""),
        ("a small fraction", "0.", "0", "1"),
        ("an exponent", "1e", "9", ""),
        ("a negative exponent", "1e-", "9", ""),
        ("leading zeros", "0", "0", "1"),
    ):
        yield f"{name} of many digits", _repeated(f"{begin}{opening}", part, f"{closing}}}")
    yield "a number beyond a double", f"{begin}1e400}}"
    yield "an integer of 308 digits", f"{begin}{'9' * 308}}}"
    yield "many integers of 308 digits", _filled(f"{begin}[", lambda _: "9" * 308, "]}")
    yield "many numbers with exponents", _filled(f"{begin}[", lambda n: f"1.{n}e300", "]}", FEW)


def _of_whole_messages() -> Iterator[tuple[str, str]]:
    for name, part in {
        "nothing but spaces": " ",
        "opening brackets": "[",
        "objects that do not end": '{"":',
        "closing brackets": "]",
        "quotes": '"',
        "escaped quotes": '\\"',
        "commas": ",",
        "empty lists": "[]",
        "empty strings": '"" ',
        "a text that is not JSON": "a line, [Verse] ",
        "zero characters": "\0",
    }.items():
        yield name, part * (MESSAGE_SIZE // len(part))
        yield f"{name}, in a list", f"[{part * (MESSAGE_SIZE // len(part) - 1)}"
    yield "base64", base64.b64encode(bytes(range(256)) * 192).decode()
    yield "a message of 1 MiB", "[" * 1024 * 1024
    yield (
        "a large envelope",
        _filled(
            '{"detail-type":"a","source":"b","detail":{"title":"', lambda _: "x", '"}}', MESSAGE_SIZE, "", MESSAGE_SIZE
        ),
    )


def _repeated(begin: str, part: str, end: str) -> str:
    return _filled(begin, lambda _: part, end, between="")


def _filled(begin: str, part: Part, end: str, most: int = SIZE, between: str = ",", size: int = SIZE) -> str:
    """A body of at most `size` bytes with at most `most` parts."""
    left = size - len(begin) - len(end)
    parts: list[str] = []
    for number in range(most):
        text = part(number)
        left -= len(text.encode()) + len(between)
        if left < 0:
            break
        parts.append(text)
    return begin + between.join(parts) + end


def _text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
