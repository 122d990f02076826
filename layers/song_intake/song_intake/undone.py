"""A decision that could not be carried out: a service did not take its part. The message must stay, and come back."""

from typing import ClassVar

from song_intake.reason import Reason


class Undone(Exception):
    """Carries the code of what failed, and nothing that was sent."""

    reason: ClassVar[Reason]
