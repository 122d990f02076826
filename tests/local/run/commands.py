"""What to type in another terminal while the stack is up: to send a song, see its clips, and settle a doubt."""

import shlex
import sys
from string import Template
from typing import Final

from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION
from tests.local.cloud.cloud import PROJECT
from tests.local.intake import Intake

# The endpoint is named again for the AWS CLI, whose first version calls AWS's own SQS whatever the variable says.
_COMMANDS: Final = Template("""\
To send a request of your own, paste this into another terminal:

unset AWS_PROFILE AWS_SESSION_TOKEN HTTPS_PROXY https_proxy
export AWS_ENDPOINT_URL=$endpoint
export AWS_CA_BUNDLE=$ca_bundle
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
export AWS_ACCESS_KEY_ID=$administrator AWS_SECRET_ACCESS_KEY=$administrator
QUEUE=$queue
DEAD_LETTERS=$dead_letters
TABLE=$table

Then, with the AWS CLI, send a request, read its row, with the clips in a few seconds, and the next ten dead letters:

aws sqs send-message --endpoint-url $endpoint --queue-url "$$QUEUE" \\
    --message-body '{"request_id": "my-song-1", "title": "Mine", "sound": "slow folk"}'
aws dynamodb get-item --endpoint-url $endpoint --table-name "$$TABLE" \\
    --consistent-read --key '{"request_id": {"S": "my-song-1"}}'
aws sqs receive-message --endpoint-url $endpoint --queue-url "$$DEAD_LETTERS" \\
    --max-number-of-messages 10 --visibility-timeout 10 --message-attribute-names All \\
    --query 'Messages[].MessageAttributes.[reason.StringValue, detail.StringValue]' --output text

Or, with boto3, the same:

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
ten = dict(MaxNumberOfMessages=10, VisibilityTimeout=10, MessageAttributeNames=["All"])
while letters := sqs.receive_message(QueueUrl=dead_letters, **ten).get("Messages"):
    for attributes in [letter["MessageAttributes"] for letter in letters]:
        print(attributes["reason"]["StringValue"], attributes["detail"]["StringValue"])
END

Or settle the request whose song only the music API knows of, as an operator does who asked there (`make resolve`):

export PYTHONPATH=$package
$python -m song_intake.commands.resolve $stack --list
$python -m song_intake.commands.resolve $stack --request=$request_id --task=$task_id
""")


def commands(intake: Intake, request_id: str, task_id: str) -> str:
    """To be pasted into a POSIX shell, as a whole or line by line. The request is in doubt, the task is its song."""
    cloud = intake.cloud
    return _COMMANDS.substitute(
        endpoint=cloud.endpoint_url,
        ca_bundle=shlex.quote(str(cloud.ca_bundle)),
        region=REGION,
        administrator=ADMINISTRATOR,
        queue=intake.queue_url,
        dead_letters=intake.dead_letter_queue_url,
        table=intake.table,
        python=shlex.quote(sys.executable),
        package=shlex.quote(str(PROJECT / "layers" / "song_intake")),
        stack=intake.stack.name,
        request_id=request_id,
        task_id=task_id,
    )
