"""What may be reported of an AWS call that failed: its code. The SDK's own text may repeat what was sent."""

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as NoConnection

AWS_FAILURES = (ClientError, BotoCoreError)

# The service was asked too often, or took too long: the call may succeed later, and nothing is set up wrongly.
# https://docs.aws.amazon.com/boto3/latest/guide/retries.html#standard-retry-mode
_BUSY_CODES = frozenset(
    (
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        # SQS, of the key of an encrypted queue: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
        "KMS.ThrottlingException",
        "KmsThrottled",
        "KmsThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    )
)
_SERVER_ERROR = 500

# Refusals of the caller, whatever it asked for: they end when the credentials or the clock are right again.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
CREDENTIALS_CODES = frozenset(
    (
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)


def code_of(failure: Exception) -> str:
    """AWS's own code where the service answered ("AccessDeniedException"), else the class of what went wrong."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code") or "ClientError")
    return type(failure).__name__


def is_transient(failure: Exception) -> bool:
    """Whether the service was busy, failing or not reached: wait and try again. Else something is set up wrongly."""
    if isinstance(failure, ClientError):
        status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(failure) in _BUSY_CODES or status >= _SERVER_ERROR
    return isinstance(failure, NoConnection | HTTPClientError)


def is_refusal(failure: Exception) -> bool:
    """Whether the service refused the call for good: the same call would be refused again (a right, a key, a token)."""
    if not isinstance(failure, ClientError):
        return isinstance(failure, ParamValidationError)
    return not is_transient(failure) and code_of(failure) not in CREDENTIALS_CODES
