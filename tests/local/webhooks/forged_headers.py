"""Wrong signatures and timestamps."""

import base64
from collections.abc import Callable
from typing import Final

from tests.local.webhooks.call import PREFIX, SIGNATURE, TIMESTAMP, WebhookCall, hex_mac
from tests.local.webhooks.forger import STALE_SECONDS, Forger


def _right(call: WebhookCall) -> bytes:
    return call.headers[SIGNATURE].removeprefix(PREFIX)


def _text(call: WebhookCall) -> bytes:
    """The text that the vendor signs."""
    return call.headers[TIMESTAMP] + b"." + call.body


def _keyed(key: Callable[[Forger], bytes]) -> Callable[[Forger, WebhookCall], bytes]:
    """Signed with a key that a forger without the secret may have."""
    return lambda forger, call: PREFIX + hex_mac(key(forger), _text(call))


def _over(text: Callable[[Forger, WebhookCall], bytes]) -> Callable[[Forger, WebhookCall], bytes]:
    """Signed with the right secret, over another text."""
    return lambda forger, call: PREFIX + forger.genuine.sign(text(forger, call))


def _digest(prefix: bytes, digest: str) -> Callable[[Forger, WebhookCall], bytes]:
    return lambda forger, call: prefix + hex_mac(forger.genuine.secret.encode(), _text(call), digest)


SIGNATURES: Final[dict[str, Callable[[Forger, WebhookCall], bytes | None]]] = {
    "missing": lambda _, __: None,
    "empty": lambda _, __: b"",
    "of only the prefix": lambda _, __: PREFIX,
    "random": lambda forger, _: PREFIX + forger.hexadecimal(64),
    "one digit off": lambda forger, call: PREFIX + forger.one_digit_off(_right(call)),
    "cut short": lambda forger, call: PREFIX + forger.beginning(_right(call)),
    "too long": lambda forger, call: PREFIX + _right(call) + forger.hexadecimal(2),
    "of 6 KB": lambda forger, _: PREFIX + forger.hexadecimal(6000),
    "with the prefix in upper case": lambda _, call: PREFIX.upper() + _right(call),
    "without prefix": lambda _, call: _right(call),
    "with the prefix twice": lambda _, call: PREFIX * 2 + _right(call),
    "with another prefix": lambda _, call: b"v1=" + _right(call),
    # Schemes with rotating secrets send a list of signatures, one of which has to match. This scheme does not.
    "in a list": lambda forger, call: PREFIX + forger.hexadecimal(64) + b"," + PREFIX + _right(call),
    "in base64": lambda _, call: PREFIX + base64.b64encode(bytes.fromhex(_right(call).decode())),
    "by SHA-1, declared": _digest(b"sha1=", "sha1"),
    "by SHA-1, undeclared": _digest(PREFIX, "sha1"),
    "by SHA-512": _digest(PREFIX, "sha512"),
    "right, as sha1=": lambda _, call: b"sha1=" + _right(call),
    "with no key": _keyed(lambda _: b""),
    "with another key": _keyed(lambda forger: forger.hexadecimal(64)),
    "with the mac as key": _keyed(lambda forger: forger.genuine.mac.encode()),
    "with the request_id as key": _keyed(lambda forger: forger.genuine.request_id.encode()),
    "of only the body": _over(lambda _, call: call.body),
    "of no body": _over(lambda _, call: call.headers[TIMESTAMP] + b"."),
    "of another body": _over(lambda forger, call: call.headers[TIMESTAMP] + b"." + forger.flipped(call.body)),
    "of another timestamp": _over(lambda forger, call: b"%d." % forger.random.randrange(10**9) + call.body),
    "without the dot": _over(lambda _, call: call.headers[TIMESTAMP] + call.body),
    "of the body first": _over(lambda _, call: call.body + b"." + call.headers[TIMESTAMP]),
    # hmac.compare_digest raises TypeError for a str beyond ASCII.
    "beyond ASCII": lambda forger, _: PREFIX + forger.hexadecimal(60) + b"\xe9\xff\xa0\xc3",
    "in UTF-8": lambda _, call: PREFIX + _right(call)[:-1] + "é".encode(),
}


TIMESTAMPS: Final[dict[str, Callable[[Forger, int], bytes]]] = {
    "six minutes ahead": lambda _, now: b"%d" % (now + STALE_SECONDS),
    "far ahead": lambda forger, now: b"%d" % (now + forger.stale_by()),
    "negative": lambda _, now: b"-%d" % now,
    "in milliseconds": lambda _, now: b"%d000" % now,
    "huge": lambda _, __: b"1" + b"0" * 30,
    # Python's int() refuses more than 4300 digits, with a ValueError.
    "of 5000 digits": lambda _, __: b"9" * 5000,
    "a float": lambda _, now: b"%d.0" % now,
    "in scientific notation": lambda _, __: b"1.7e9",
    # abs(now - nan) > 300 is false, and so is every other comparison.
    "not a number": lambda _, __: b"nan",
    "infinite": lambda _, __: b"inf",
    "a text": lambda forger, _: b"now" + forger.hexadecimal(3),
    "a date": lambda _, __: b"2026-03-01T12:00:00Z",
    "empty": lambda _, __: b"",
    "with a sign": lambda _, now: b"+%d" % now,
    "in hexadecimal": lambda _, now: b"0x%x" % now,
    # int() accepts these two, and digits of any script.
    "with underscores": lambda _, now: b"_".join(str(now).encode()[at : at + 1] for at in range(len(str(now)))),
    "in Arabic digits": lambda _, now: "".join(chr(0x660 + int(digit)) for digit in str(now)).encode(),
    # "³".isdigit() is true, and int("³") raises.
    "in superscript": lambda _, __: b"\xb2\xb3\xb9",
    "twice": lambda _, now: b"%d,%d" % (now, now),
}
