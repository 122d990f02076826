"""One fresh process of the part "copying": `bare` only downloads, `copy` copies as the function does.

It prints the wall seconds, the CPU seconds and the peak memory in bytes.
"""

import os
import resource
import ssl
import sys
import time
from pathlib import Path

from song_intake.aws.clients import AwsClients
from song_intake.music_api.deadline import Deadline
from song_intake.recordings.bucket import Bucket
from song_intake.recordings.copier import Copied, RecordingCopier
from song_intake.recordings.download import opened
from song_intake.recordings.source import Sources
from tests.local.recordings.network import Network

# Here, because the server imports more than a function has.
NAME = "cdn.songs.example"
_LINK = f"https://{NAME}/song.m4a"
_LARGEST = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_SECONDS = 120.0
_STATUS = Path("/proc/self/status")


def main() -> None:
    work, port, bundle = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    Network({NAME: port}).patch()
    tls = ssl.create_default_context(cafile=bundle)
    sources = Sources([NAME])
    os.environ |= {
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    bucket = Bucket(AwsClients(tls, seconds=_SECONDS, connections=4, s3_seconds=30).client("s3"), "recordings")
    copier = RecordingCopier(sources=sources, bucket=bucket, tls=tls, largest_bytes=_LARGEST)
    began, cpu = time.perf_counter(), time.process_time()
    if work == "bare":
        with opened(_LINK, sources, tls, Deadline(_SECONDS), _LARGEST) as download:
            while download.read(_CHUNK_BYTES):
                pass
    else:
        result = copier.copy(_LINK, "songs/order-1/clip-1", _SECONDS)
        if not isinstance(result, Copied):
            raise SystemExit(f"the recording was not copied: {result}")
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(wall, cpu, _peak_bytes())  # noqa: T201


def _peak_bytes() -> int:
    """The peak memory of this process. On Linux, getrusage counts that of its parent too, as first_batch.py says."""
    if _STATUS.exists():
        return int(_STATUS.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
