"""The first batches of a fresh process, as after a cold start. It imports no module of the benchmark, which would count
as memory of the process.

    python first_batch.py MODULE EVENTS.json RESPONSE.json
"""

import importlib
import json
import pathlib
import resource
import sys
import time
from types import SimpleNamespace

module = importlib.import_module(sys.argv[1])
handler = module.handler if hasattr(module, "handler") else module.from_environment()
context = SimpleNamespace(
    function_name="submit-song",
    function_version="$LATEST",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:submit-song",
    aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    get_remaining_time_in_millis=lambda: 60_000,
)
first, *others = json.loads(pathlib.Path(sys.argv[2]).read_text())
began, cpu = time.perf_counter(), time.process_time()
handler(first, context)
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
for event in others:
    handler(event, context)

# On Linux, getrusage also counts the peak of the parent process. On macOS it does not, and it returns bytes.
status = pathlib.Path("/proc/self/status")
if status.exists():
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pathlib.Path(sys.argv[3]).write_text(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))
