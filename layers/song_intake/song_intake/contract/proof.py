"""The proof on every message that the stack writes to a queue that is redriven: its ids are believed only with it.

Callers may send attributes of any name. A message with the stack's attributes and no valid proof is a caller's: it is a
new message under its own id. The proof covers the body too, so it fits no other message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

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
        return {**origin.texts(), PROOF: _proof_of(origin, body, self._keys.current_first()[0])}

    def read(self, message: Message) -> Message:
        """The message with its origin, if its attributes are proved. Raises KeyUnavailable.

        A proof that fits no key in memory may be of a newer key. To pass it over would make the message a new request.
        So the keys must be from a read after the message was sent, and the message waits if they cannot be read. One
        such read is enough for all earlier messages, however many of them have forged proofs.
        """
        origin = Origin.claimed_by(message.attributes)
        proof = proof_on(message)
        if origin is None or proof is None:
            return message
        is_proved = _fits(proof, origin, message.body, self._keys.current_first()) or _fits(
            proof, origin, message.body, self._keys.read_after(message.sent_at + CLOCKS_DIFFER_SECONDS)
        )
        return replace(message, origin=origin) if is_proved else message


def proof_on(message: Message) -> str | None:
    """The proof on the message, valid or not; None if it has nothing of the form of a proof."""
    text = message.attributes.get(PROOF, {}).get("stringValue") or ""
    return text if _FORM.fullmatch(text) else None


def _fits(proof: str, origin: Origin, body: str, keys: Sequence[SigningKey]) -> bool:
    return any(hmac.compare_digest(_proof_of(origin, body, key), proof) for key in keys)


def _proof_of(origin: Origin, body: str, key: SigningKey) -> str:
    """A JSON array keeps the values apart: no text can be moved from one into its neighbour."""
    digest = hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()
    values = (
        origin.first_message_id,
        origin.request_id,
        origin.task_id,
        origin.reason,
        origin.sent_anew_for,
        digest,
    )
    return key.proof(json.dumps(values, separators=(",", ":")).encode())
