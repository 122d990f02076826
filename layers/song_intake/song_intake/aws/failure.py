"""What may be reported of a failed AWS call: its code. The SDK's own message may quote what was sent."""

from botocore.exceptions import BotoCoreError, ClientError

AWS_FAILURES = (ClientError, BotoCoreError)


def code_of(failure: Exception) -> str:
    """AWS's error code ("AccessDeniedException") if the service answered, else the exception's class name."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code") or "ClientError")
    return type(failure).__name__
