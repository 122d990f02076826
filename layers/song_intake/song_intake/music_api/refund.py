"""Whether the vendor reports that it returned the credits of a failed song."""

import re

from song_intake.music_api.answer import messages_in

_CLAUSES = re.compile(r"[.!?;,:\n]+")
_REFUND = re.compile(r"refund", re.IGNORECASE)
_REFUNDED = re.compile(r"\brefunded\b", re.IGNORECASE)

# A negation at most three words before the refund, or a refund that did not come about.
_NOT = re.compile(
    r"(\b(not|never|no|cannot|without|nor)|n\Wt)\W+(\w+\W+){0,3}?refund|\bnon\W?refund"
    r"|\brefund\w*\W+(\w+\W+){0,2}?(failed|denied|rejected|unavailable|not)\b",
    re.IGNORECASE,
)

# A promise or a condition is no refund.
_NOT_YET = re.compile(
    r"\b(will|would|shall|may|might|can|could|should|must|if|unless|when|once|to be|being|pending|eligible)\b.*refunded"
    r"|\Wll\b.*refunded|refunded\b.*\b(if|unless|when|once)\b",
    re.IGNORECASE,
)


def refunded_in(members: dict[str, object]) -> bool | None:
    """Whether the credits were returned; None if the vendor reports neither."""
    if isinstance(processed := members.get("refund_processed"), bool):
        return processed
    clauses = [clause for text in messages_in(members) for clause in _CLAUSES.split(text) if _REFUND.search(clause)]
    if any(_NOT.search(clause) for clause in clauses):
        return False
    return True if any(_REFUNDED.search(clause) and not _NOT_YET.search(clause) for clause in clauses) else None
