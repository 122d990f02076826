"""How the AWS clients send: botocore's requests and responses, on connections that share one SSLContext.

botocore reads the CA bundle for every connection that it opens (25 ms of CPU; boto/botocore#3171), which was most of a
function's first batch. A handler of `before-send` may send the request in botocore's place:
https://docs.aws.amazon.com/botocore/latest/topics/events.html

botocore still signs, retries and parses, so a failure is raised as botocore's exception for it. Unlike botocore, this
transport uses no proxy from the environment; neither does the client of the music API.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, cast

from botocore import exceptions as botocore_errors
from botocore.awsrequest import AWSResponse
from urllib3 import PoolManager, Timeout
from urllib3 import exceptions as urllib3_errors

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders

# An exception of urllib3, and botocore's for the same failure. The first match counts.
_EQUIVALENTS = (
    (urllib3_errors.SSLError, botocore_errors.SSLError),
    (urllib3_errors.NewConnectionError, botocore_errors.EndpointConnectionError),
    (urllib3_errors.ConnectTimeoutError, botocore_errors.ConnectTimeoutError),
    (urllib3_errors.ReadTimeoutError, botocore_errors.ReadTimeoutError),
    (urllib3_errors.ProtocolError, botocore_errors.ConnectionClosedError),
)


class AwsTransport:
    """Safe to share between threads and clients.

    timeout: seconds from the start of an attempt to its response: with the connect, if a new connection is needed.
    connections: connections kept open per host.
    """

    def __init__(self, tls: ssl.SSLContext, *, timeout: float, connections: int) -> None:
        self._pools = PoolManager(ssl_context=tls, timeout=Timeout(total=timeout), maxsize=connections)

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """Send the request once; botocore decides whether to retry. Raises a BotoCoreError."""
        try:
            return self._response_to(request)
        except Exception as failure:
            raise _as_botocore_error(failure, request.url) from failure

    def _response_to(self, request: AWSPreparedRequest) -> AWSResponse:
        raw = self._pools.urlopen(
            request.method,
            request.url,
            body=request.body,
            headers=request.headers,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        # The stubs expect botocore's own class of headers.
        response = AWSResponse(request.url, raw.status, cast("HTTPHeaders", raw.headers), raw)
        if not request.stream_output:
            # Read now, so that a response that breaks off is a failure of this attempt, and may be retried.
            _ = response.content
        return response


def _as_botocore_error(failure: Exception, url: str) -> Exception:
    for kind, equivalent in _EQUIVALENTS:
        if isinstance(failure, kind):
            return equivalent(endpoint_url=url, error=failure)
    return botocore_errors.HTTPClientError(error=failure)
