"""Does what each message orders, and says so in the journal."""

import json
import os
import threading
import time
from typing import Any

import boto3
import probe_journal  # type: ignore[import-not-found]  # a layer: it lies beside this module once deployed
from botocore.exceptions import ClientError

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def handle(event: dict[str, Any], _context: object) -> object:
    failures = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        print(f"order {order['do']} of {record['messageId']}")  # noqa: T201 - to see it in the function's log
        if order["do"] == "respond":
            probe_journal.write(record, order, "responded")
            return order["response"]
        if not _carry_out(record, order):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _carry_out(record: dict[str, Any], order: dict[str, Any]) -> bool:
    match order["do"]:
        case "succeed":
            probe_journal.write(record, order, "succeeded")
        case "fail":
            probe_journal.write(record, order, "failed")
            return False
        case "hide":
            # The batch call, because it needs the permission of the single one, and nothing more.
            handle, seconds = record["receiptHandle"], order["seconds"]
            sqs.change_message_visibility_batch(
                QueueUrl=os.environ["QUEUE_URL"],
                Entries=[{"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": seconds}],
            )
            probe_journal.write(record, order, "hidden")
            return False
        case "write":
            print(order["text"], end="", flush=True)  # noqa: T201 - to see it in the function's log
        case "work":
            time.sleep(order["seconds"])
            probe_journal.write(record, order, "worked")
        case "hang once":
            probe_journal.write(record, order, "hanging")
            if record["attributes"]["ApproximateReceiveCount"] == "1":
                time.sleep(60)
        case "read clocks":
            readings = [_clocks()]
            time.sleep(order["seconds"])
            readings.append(_clocks())
            probe_journal.write(record, order, json.dumps(readings))
        case "put" | "update" as operation:
            probe_journal.write(record, order, _write(operation))
    return True


def _clocks() -> dict[str, float]:
    """Seconds by both clocks, and the progress of a thread that works beside the invocations."""
    if not counter.is_alive():
        counter.start()
    clocks = {"monotonic": time.monotonic(), "perf_counter": time.perf_counter(), "wall": time.time()}
    return {**clocks, "milliseconds_counted": counter.count}


class Counter(threading.Thread):
    """Counts milliseconds while it may run."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.count = 0

    def run(self) -> None:
        while True:
            self.count += 1
            time.sleep(0.001)


counter = Counter()


def _write(operation: str) -> str:
    key = {"id": {"S": "probe"}}
    try:
        if operation == "put":
            dynamodb.put_item(TableName=os.environ["TABLE"], Item=key)
        else:
            dynamodb.update_item(TableName=os.environ["TABLE"], Key=key)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "written"
