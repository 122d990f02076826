"""Whether the credits of a failed song came back: only where the vendor reports it."""

import pytest

from song_intake.music_api.refund import refunded_in

REFUNDED = (
    "Your credits have been refunded.",
    "Credits were refunded.",
    "Task failed due to timeout. Credits were previously refunded.",
    "The generation did not finish, credits were refunded",
    "It was not possible to finish. Your credits were refunded to your account.",
    "REFUNDED",
)
NOT_REFUNDED = (
    "Your credits were not refunded.",
    "Your credits weren't refunded.",
    "They have not been refunded.",
    "They cannot be refunded.",
    "No refund.",
    "Credits have not yet been refunded.",
    "This is non-refundable.",
    "The refund failed.",
)
NOT_REPORTED = (
    "The generation failed.",
    "",
    "Your credits will be refunded.",
    "If you were charged you may be refunded.",
    "You can ask for a refund.",
    "A refund is pending.",
    "Credits are refunded if the task fails.",
)


@pytest.mark.parametrize(
    ("text", "refunded"),
    [
        *((text, True) for text in REFUNDED),
        *((text, False) for text in NOT_REFUNDED),
        *((text, None) for text in NOT_REPORTED),
    ],
)
@pytest.mark.parametrize("key", ["message", "error", "detail"])
def test_only_a_report_counts(key: str, text: str, refunded: bool | None) -> None:  # noqa: FBT001
    assert refunded_in({key: text}) is refunded


def test_the_vendors_own_member_counts_before_its_text() -> None:
    assert refunded_in({"refund_processed": True, "message": "not refunded"}) is True
    assert refunded_in({"refund_processed": False, "message": "refunded"}) is False
    assert refunded_in({"refund_processed": "yes"}) is None
