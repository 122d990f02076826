"""The hint that receive_webhook adds to a check: an authentic webhook named the task of the request.

Its proof covers the ids of the check too. Without a valid proof (see proof.py), the check is one without a hint.
"""

from __future__ import annotations

from typing import Self

from song_intake.domain.frozen import frozen


@frozen
class SignedHint:
    """What the webhook said, besides the request and the task that its check names."""

    hint_id: str
    """A random id of the call. Repeated calls of the vendor have different ids."""
    is_late: bool
    """Whether the call was too old to be new: delayed, or recorded and sent again."""
    proof: str

    @classmethod
    def claimed_by(cls, members: object) -> Self | None:
        """The hint in a check's body, proved or not; None if it has not the form that the stack gives it."""
        match members:
            case {"hint_id": str(hint_id), "is_late": bool(is_late), "proof": str(proof)}:
                return cls(hint_id, is_late, proof)
            case _:
                return None
