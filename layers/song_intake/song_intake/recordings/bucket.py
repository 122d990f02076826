"""The owner's bucket: streamed uploads by boto3's transfer, each object written once.

An object appears only when its last part was accepted, so a body that fails on the way leaves nothing: the transfer
aborts its upload. `If-None-Match: *` keeps a copy that is there already.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError
from s3transfer.manager import TransferConfig, TransferManager

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 accepts, for flat memory:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

_CHUNK_BYTES = 64 * 1024
# Two parts are sent while a third is read.
_PARTS_AT_ONCE = 2
_EXISTS = frozenset(("PreconditionFailed", "ConditionalRequestConflict"))


class Body(Protocol):
    """What is uploaded. A read that raises aborts the upload."""

    def read(self, amount: int = -1, /) -> bytes:
        """The next bytes: `amount` of them, but at the end."""


class Bucket:
    """Safe to share between threads. Its methods raise AWS_FAILURES, and whatever a body raises.

    s3: a client that nothing else uses, since every put of it becomes conditional.
    """

    def __init__(self, s3: S3Client, name: str) -> None:
        self.name = name
        self._s3 = s3
        for operation in ("PutObject", "CompleteMultipartUpload"):
            # The stubs expect handlers that return nothing.
            s3.meta.events.register(f"provide-client-params.s3.{operation}", _only_once)  # type: ignore[arg-type]
        config = TransferConfig(
            multipart_threshold=PART_BYTES,
            multipart_chunksize=PART_BYTES,
            max_request_concurrency=_PARTS_AT_ONCE,
            max_in_memory_upload_chunks=_PARTS_AT_ONCE,
        )
        self._transfers = TransferManager(s3, config)

    def put(self, key: str, body: Body, content_type: str) -> bool:
        """Write the object; False if there is one of this key already, which stays as it is."""
        arguments = {"ContentType": content_type}
        try:
            self._transfers.upload(body, self.name, key, extra_args=arguments).result()  # type: ignore[arg-type]
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") in _EXISTS:
                return False
            raise
        return True

    def stored(self, key: str) -> tuple[int, str]:
        """The size of the object in bytes, and its SHA-256 in hexadecimal digits, read back."""
        digest, size = hashlib.sha256(), 0
        for chunk in self._s3.get_object(Bucket=self.name, Key=key)["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()


def _only_once(params: dict[str, Any], **_: object) -> dict[str, Any]:
    return {**params, "IfNoneMatch": "*"}
