"""The host of the recordings and the bucket of the part "copying", in a process of their own.

It writes its port and the file of its authority as JSON, and serves until its stdin closes.
"""

import json
import sys
import time
from pathlib import Path

import trustme

from tests.local.recordings.host import Answer, Handler, RecordingHost, m4a
from tests.performance.copying_client import NAME

_CHUNK_BYTES = 64 * 1024


class CopyingHandler(Handler):
    """Also accepts uploads, as S3 does it, and forgets them."""

    def do_PUT(self) -> None:  # noqa: N802 - named by its base class
        # botocore sends a body in chunks if it computes the checksum on the way.
        while size := int(self.rfile.readline(), 16):
            while size:
                size -= len(self.rfile.read(min(size, _CHUNK_BYTES)))
            self.rfile.readline()
        self.rfile.readline()
        self._answer(b"", ETag='"part"')

    def do_POST(self) -> None:  # noqa: N802 - named by its base class
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        is_new = self.path.endswith("?uploads")
        result = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        self._answer(result if is_new else b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def _answer(self, body: bytes, **headers: str) -> None:
        self.send_response(200)
        for name, text in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)


def paced(body: bytes, bytes_a_second: float) -> Answer:
    """An answer that a network of this speed delivers."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        began = time.monotonic()
        view = memoryview(body)
        for start in range(0, len(body), _CHUNK_BYTES):
            ahead = start / bytes_a_second - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
            handler.wfile.write(view[start : start + _CHUNK_BYTES])

    return answer


def main() -> None:
    folder, mebibytes, megabytes_a_second = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    authority = trustme.CA()
    bundle = folder / "copying-ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with RecordingHost(authority, NAME, "127.0.0.1", handler=CopyingHandler) as host:
        host.answers["/song.m4a"] = paced(m4a(mebibytes * 1024 * 1024), megabytes_a_second * 1e6)
        print(json.dumps({"port": host.port, "bundle": str(bundle)}), flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main()
