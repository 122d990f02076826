"""The proofs on what the stack writes to its queues: a message's ids and a check's hint are believed only with one.

Callers may send attributes of any name. A message with the stack's attributes and no valid proof is a caller's: it is a
new message under its own id. The proof covers the body too, so it fits no other message. The proof of a hint covers the
ids of its check, so it fits no other check.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from song_intake.contract.hint import SignedHint
from song_intake.contract.sqs_message import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from song_intake.aws.signing_key import SigningKey, SigningKeys
    from song_intake.contract.sqs_message import Message

PROOF = "proof"
"""The attribute of the message."""

CLOCKS_DIFFER_SECONDS = 2.0
"""How much the clock of SQS and that of a function may differ. Our choice: AWS keeps both synchronised."""

_FORM = re.compile(r"[0-9a-f]{64}")


class Proofs:
    """Signs and verifies. Safe to share between threads."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def require_key(self) -> None:
        """Raises KeyUnavailable if no message could be signed now."""
        self._keys.current_first()

    def attributes(self, origin: Origin, body: str) -> dict[str, str | None]:
        """The attributes of a message with this origin and body, with their proof. Raises KeyUnavailable."""
        return {**origin.texts(), PROOF: self._keys.current_first()[0].proof(_proved_of_message(origin, body))}

    def read(self, message: Message) -> Message:
        """The message with its origin, if its attributes are proved. Raises KeyUnavailable."""
        origin = Origin.claimed_by(message.attributes)
        proof = proof_on(message)
        if origin is None or proof is None:
            return message
        is_proved = self._is_valid(proof, _proved_of_message(origin, message.body), message.sent_at)
        return replace(message, origin=origin) if is_proved else message

    def hint(self, hint_id: str, request_id: str, task_id: str, *, is_late: bool) -> SignedHint:
        """The hint that an authentic webhook named this task. Raises KeyUnavailable."""
        proved = _proved_of_hint(hint_id, request_id, task_id, is_late=is_late)
        return SignedHint(hint_id, is_late, self._keys.current_first()[0].proof(proved))

    def is_proved(self, hint: SignedHint, request_id: str, task_id: str, sent_at: float) -> bool:
        """Whether the stack signed this hint for these ids. sent_at: of its message. Raises KeyUnavailable."""
        proved = _proved_of_hint(hint.hint_id, request_id, task_id, is_late=hint.is_late)
        return _FORM.fullmatch(hint.proof) is not None and self._is_valid(hint.proof, proved, sent_at)

    def _is_valid(self, proof: str, proved: bytes, sent_at: float) -> bool:
        """A proof that fits no key in memory may be of a newer key. To pass it over would make the message a new
        request, or lose a hint. So the keys must be from a read after the message was sent, and the message waits if
        they cannot be read. One such read is enough for all earlier messages, however many of them have forged proofs.
        """
        return _fits(proof, proved, self._keys.current_first()) or _fits(
            proof, proved, self._keys.read_after(sent_at + CLOCKS_DIFFER_SECONDS)
        )


def proof_on(message: Message) -> str | None:
    """The proof on the message, valid or not; None if it has nothing of the form of a proof."""
    text = message.attributes.get(PROOF, {}).get("stringValue") or ""
    return text if _FORM.fullmatch(text) else None


def _fits(proof: str, proved: bytes, keys: Sequence[SigningKey]) -> bool:
    return any(hmac.compare_digest(key.proof(proved), proof) for key in keys)


def _proved_of_message(origin: Origin, body: str) -> bytes:
    digest = hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()
    return _array(
        origin.first_message_id,
        origin.request_id,
        origin.task_id,
        origin.reason,
        origin.sent_anew_for,
        digest,
        # Left out where it is not known: an earlier release signed messages without it, and they stay valid.
        *([origin.sender] if origin.sender else []),
    )


def _proved_of_hint(hint_id: str, request_id: str, task_id: str, *, is_late: bool) -> bytes:
    """Of fewer values than any proof of a message, so neither proof fits the other."""
    return _array("hint", hint_id, request_id, task_id, is_late)


def _array(*values: str | bool | None) -> bytes:
    """A JSON array keeps the values apart: no text can be moved from one into its neighbour."""
    return json.dumps(values, separators=(",", ":")).encode()
