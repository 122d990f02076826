"""A batch taken from its queue and acknowledged as Lambda would."""

from song_intake.work.batch import Batch, BatchResponse, TimeLeft
from tests.integration.bench import Bench, plenty_of_time

TITLE = "Night Train"


def failed(response: BatchResponse) -> set[str]:
    return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}


def take_all(bench: Bench, batch: Batch, time_left: TimeLeft = plenty_of_time) -> set[str]:
    """Takes what is on the queue, acknowledges as Lambda would, and returns the ids that stay."""
    records = bench.receive()
    stay = failed(batch.handle(records, time_left))
    for record in records:
        if record["messageId"] not in stay:
            bench.sqs.delete_message(QueueUrl=bench.requests.url, ReceiptHandle=record["receiptHandle"])
    return stay


def unreadable_row(bench: Bench, request_id: str, **attributes: str) -> None:
    """A row that this version does not understand, as a later one may have written it."""
    item = {"request_id": request_id, "status": "SINGING", "fingerprint": "of-another-time", **attributes}
    bench.dynamodb.put_item(TableName=bench.table, Item={name: {"S": text} for name, text in item.items()})
