"""How the AWS clients send: botocore's own requests and answers, on connections that share one SSLContext.

botocore reads the CA bundle again for every connection that it opens (25 ms of CPU; boto/botocore#3171), which was most
of the first batch of a function. It lets a handler of `before-send` answer in its place:
https://docs.aws.amazon.com/botocore/latest/topics/events.html

Retries, signatures and parsing stay botocore's, so what fails here must fail by the names that it knows. Unlike
botocore, no proxy of the environment is used, as towards the music API.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, cast

from botocore import exceptions as told
from botocore.awsrequest import AWSResponse
from urllib3 import PoolManager, Timeout
from urllib3 import exceptions as seen

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders

# What urllib3 saw, and what botocore calls it. The first that fits counts.
_MEANINGS = (
    (seen.SSLError, told.SSLError),
    (seen.NewConnectionError, told.EndpointConnectionError),
    (seen.ConnectTimeoutError, told.ConnectTimeoutError),
    (seen.ReadTimeoutError, told.ReadTimeoutError),
    (seen.ProtocolError, told.ConnectionClosedError),
)


class AwsTransport:
    """Safe to share between threads and clients. Times in seconds, for each connecting and each read; `connections` is
    how many are kept for each host.
    """

    def __init__(self, tls: ssl.SSLContext, *, connect_timeout: float, read_timeout: float, connections: int) -> None:
        self._pools = PoolManager(
            ssl_context=tls, timeout=Timeout(connect=connect_timeout, read=read_timeout), maxsize=connections
        )

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """Once: a retry is botocore's to decide. Raises botocore's HTTPClientError and its kinds."""
        try:
            return self._answer_to(request)
        except Exception as failure:
            raise _as_botocore(failure, request.url) from failure

    def _answer_to(self, request: AWSPreparedRequest) -> AWSResponse:
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
        # The stubs ask for the class of headers that requests have.
        answer = AWSResponse(request.url, raw.status, cast("HTTPHeaders", raw.headers), raw)
        # Read now, while an answer that breaks off still counts as this sending's failure, and may be retried.
        _ = answer.content
        return answer


def _as_botocore(failure: Exception, url: str) -> Exception:
    for kind, meaning in _MEANINGS:
        if isinstance(failure, kind):
            return meaning(endpoint_url=url, error=failure)
    return told.HTTPClientError(error=failure)
