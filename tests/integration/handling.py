"""A batch received from its queue, handled, and acknowledged as Lambda does it."""

from song_intake.work.batch import Batch, BatchResponse, TimeLeft
from tests.integration.bench import Bench, plenty_of_time

TITLE = "Night Train"


def failed(response: BatchResponse) -> set[str]:
    return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}


def handle_all(bench: Bench, batch: Batch, time_left: TimeLeft = plenty_of_time) -> set[str]:
    """Handles the messages on the queue, acknowledges as Lambda does, and returns the ids that stay."""
    records = bench.receive()
    stay = failed(batch.handle(records, time_left))
    for record in records:
        if record["messageId"] not in stay:
            bench.sqs.delete_message(QueueUrl=bench.requests.url, ReceiptHandle=record["receiptHandle"])
    return stay


def unreadable_row(bench: Bench, request_id: str, **attributes: str) -> None:
    """A row that this version cannot read, as a later version may have written it."""
    item = {"request_id": request_id, "status": "SINGING", "fingerprint": "of-another-time", **attributes}
    bench.dynamodb.put_item(TableName=bench.table, Item={name: {"S": text} for name, text in item.items()})
