"""What may be told of an AWS call that failed: its code. The SDK's own text may repeat what was sent."""

from botocore.exceptions import BotoCoreError, ClientError

AWS_FAILURES = (ClientError, BotoCoreError)


def code_of(failure: Exception) -> str:
    """AWS's own code where the service answered ("AccessDeniedException"), else the class of what went wrong."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code") or "ClientError")
    return type(failure).__name__
