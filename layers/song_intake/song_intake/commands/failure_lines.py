"""What an operator reads of a failed AWS call: one line, with what to do."""

from __future__ import annotations

import re

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as ConnectionFailed

from song_intake.aws.failure import CREDENTIALS_CODES, code_of
from song_intake.commands.checkup import DENIED

_ACTION = re.compile(r"perform: ([a-zA-Z0-9-]+:[A-Za-z]+)")

_NO_CREDENTIALS = "no AWS credentials: run `aws configure` or `aws sso login`, or name a profile with --profile"


def failure_line(failure: Exception) -> str:
    """One line for a failure of AWS_FAILURES."""
    match failure:
        case NoCredentialsError():
            return _NO_CREDENTIALS
        case NoRegionError():
            return "no region: use --region, or set AWS_REGION, or the region of your profile"
        case InvalidRegionError():
            return f"{_text(failure)}: check --region, AWS_REGION and the region of your profile"
        case ProfileNotFound():
            return f"{failure}: `aws configure list-profiles` lists those that there are"
        case PartialCredentialsError() | CredentialRetrievalError() | SSOError() | TokenRetrievalError() | LoginError():
            return f"the AWS credentials cannot be read ({code_of(failure)}): log in again, or check the profile"
        case ConnectionFailed() | HTTPClientError():
            return f"no connection to AWS ({_endpoint(failure)}): check the network, the region and the proxy"
        case ClientError():
            return _refused(failure)
    return f"the call failed ({code_of(failure)}): {_text(failure)}"


def _text(failure: Exception) -> str:
    """The SDK's own text, on one line."""
    return " ".join(str(failure).split()).rstrip(".")


def _endpoint(failure: Exception) -> str:
    named: dict[str, object] = getattr(failure, "kwargs", {})
    return str(named.get("endpoint_url") or code_of(failure))


def _refused(failure: ClientError) -> str:
    code, call = code_of(failure), failure.operation_name
    if code in CREDENTIALS_CODES:
        return f"AWS does not accept your credentials ({code}): they are expired or wrong; log in again"
    if code in DENIED:
        found = _ACTION.search(str(failure))
        what = found[1] if found else call
        return f"you may not call {what} ({code}): the stack's output OperatorPolicyArn is a policy that permits it"
    return f"{call} failed ({code}): {failure.response['Error'].get('Message', '')}"
