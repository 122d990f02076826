"""Messages that are signed as the stack signs them, with a key of the tests."""

from collections.abc import Mapping
from typing import cast

from song_intake.aws.signing_key import SigningKey, SigningKeys
from song_intake.contract.proof import PROOF, Proofs
from song_intake.contract.sqs_message import MessageAttribute, Origin

SIGNING_KEY = "the-signing-key-of-the-tests-0123456789"
SECOND_KEY = "the-second-key-of-the-tests-0123456789"


class StaticKeys:
    """Keys that are never rotated, from no secret."""

    def __init__(self, *texts: str) -> None:
        self._keys = tuple(map(SigningKey.of, texts))

    def current_first(self) -> tuple[SigningKey, ...]:
        return self._keys

    def read_after(self, _moment: float) -> tuple[SigningKey, ...]:
        return self._keys


def proofs_of(*texts: str) -> Proofs:
    """The proofs by these keys, the current one first."""
    return Proofs(cast("SigningKeys", StaticKeys(*texts)))


PROOFS = proofs_of(SIGNING_KEY)


def in_a_record(attributes: Mapping[str, str]) -> dict[str, MessageAttribute]:
    """Attributes as Lambda delivers them."""
    return {name: {"dataType": "String", "stringValue": text} for name, text in attributes.items()}


def signed(body: str, attributes: Mapping[str, str], proofs: Proofs = PROOFS) -> dict[str, str]:
    """The attributes of a message that the stack wrote, with their proof."""
    origin = Origin.claimed_by(in_a_record(attributes))
    assert origin is not None
    return {**attributes, PROOF: proofs.attributes(origin, body)[PROOF] or ""}
