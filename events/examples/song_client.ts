import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({ maxAttempts: 5 });
const dynamodb = new DynamoDBClient({});

/** Make requestId from what the song is for: however often it is sent, it is one song. */
export async function sendSong(queueUrl: string, requestId: string, song: { sound?: string; lyrics?: string; title?: string }) {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ ...song, request_id: requestId }) }));
}

/** Its status and its audio links; undefined before the stack has received the request. */
export async function readSong(tableName: string, requestId: string) {
  const { Item: row } = await dynamodb.send(new GetItemCommand({
    TableName: tableName,
    Key: { request_id: { S: requestId } },
    ProjectionExpression: "#status, clips", // a reader has to name the attributes that it reads
    ExpressionAttributeNames: { "#status": "status" },
  }));
  return row && { status: row.status.S, audioUrls: (row.clips?.L ?? []).map((clip) => clip.M?.audio_url?.S) };
}
