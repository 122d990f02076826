"""Commands for another terminal while the stack is up: send a request, read its clips, list the recordings, resolve a
request in doubt.
"""

import shlex
import sys
from string import Template
from typing import Final

from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION
from tests.local.cloud.cloud import PROJECT
from tests.local.intake import Intake

# The AWS CLI gets the endpoint as an option too: version 1 calls the real SQS in spite of the variable.
_COMMANDS: Final = Template("""\
To send a request of your own, paste these lines into another terminal:

unset AWS_PROFILE AWS_SESSION_TOKEN HTTPS_PROXY https_proxy
export AWS_ENDPOINT_URL=$endpoint
export AWS_CA_BUNDLE=$ca_bundle
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
export AWS_ACCESS_KEY_ID=$administrator AWS_SECRET_ACCESS_KEY=$administrator
QUEUE=$queue
DEAD_LETTERS=$dead_letters
TABLE=$table

Then send a request with the AWS CLI. Its row has the clips after a few seconds.
The last command shows the reasons of ten dead letters:

aws sqs send-message --endpoint-url $endpoint --queue-url "$$QUEUE" \\
    --message-body '{"request_id": "my-song-1", "title": "Mine", "sound": "slow folk"}'
aws dynamodb get-item --endpoint-url $endpoint --table-name "$$TABLE" \\
    --consistent-read --key '{"request_id": {"S": "my-song-1"}}'
aws sqs receive-message --endpoint-url $endpoint --queue-url "$$DEAD_LETTERS" \\
    --max-number-of-messages 10 --wait-time-seconds 1 --visibility-timeout 10 --message-attribute-names All \\
    --query 'Messages[].MessageAttributes.[reason.StringValue, detail.StringValue]' --output text

Or do the same with boto3:

$python - "$$QUEUE" "$$DEAD_LETTERS" "$$TABLE" <<'END'
import sys, time, boto3
queue, dead_letters, table = sys.argv[1:]
sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
sqs.send_message(QueueUrl=queue, MessageBody='{"request_id": "my-song-2", "sound": "slow folk"}')
for second in range(20):
    time.sleep(1)
    key = {"request_id": {"S": "my-song-2"}}
    row = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    if "clips" in row:
        break
print(row)
ten = dict(MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=10, MessageAttributeNames=["All"])
while letters := sqs.receive_message(QueueUrl=dead_letters, **ten).get("Messages"):
    for attributes in [letter["MessageAttributes"] for letter in letters]:
        print(attributes["reason"]["StringValue"], attributes["detail"]["StringValue"])
END

The recordings of the songs are in a bucket. To list them:

aws s3api list-objects-v2 --endpoint-url $endpoint --bucket $bucket --prefix songs/ \\
    --query 'Contents[].[Key, Size]' --output text

To resolve the IN_DOUBT request as an operator would (`make ops`; --help lists the other commands):

export PYTHONPATH=$package
$python -m song_intake.commands --stack $stack list --status IN_DOUBT
$python -m song_intake.commands --stack $stack resolve $request_id --task $task_id

To cancel a request that was not received yet (`make cancel`):

$python -m song_intake.commands --stack $stack --json cancel my-song-3 --yes
""")


def commands(intake: Intake, request_id: str, task_id: str) -> str:
    """The text to paste into a POSIX shell, whole or line by line. The request is IN_DOUBT, the task is its song."""
    cloud = intake.cloud
    return _COMMANDS.substitute(
        endpoint=cloud.endpoint_url,
        ca_bundle=shlex.quote(str(cloud.ca_bundle)),
        region=REGION,
        administrator=ADMINISTRATOR,
        queue=intake.queue_url,
        dead_letters=intake.dead_letter_queue_url,
        table=intake.table,
        bucket=intake.stack.outputs["RecordingBucketName"],
        python=shlex.quote(sys.executable),
        package=shlex.quote(str(PROJECT / "layers" / "song_intake")),
        stack=intake.stack.name,
        request_id=request_id,
        task_id=task_id,
    )
