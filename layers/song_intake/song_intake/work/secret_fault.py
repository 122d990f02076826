"""Why a message waits that needs a secret which cannot be read."""

from song_intake.aws.secrets import SecretUnavailable
from song_intake.aws.signing_key import KeyUnavailable
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason


def fault_of_secret(failure: SecretUnavailable) -> Retryable:
    """Secrets Manager was busy; or the secret itself is missing, unreadable or wrong."""
    if failure.is_transient:
        return Retryable(Reason.SECRETS_UNAVAILABLE, str(failure))
    is_key = isinstance(failure, KeyUnavailable)
    return Retryable(Reason.SIGNING_KEY_UNAVAILABLE if is_key else Reason.TOKEN_UNAVAILABLE, str(failure))
