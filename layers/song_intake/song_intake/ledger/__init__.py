"""One DynamoDB row per request; every write is conditional. Only this room knows the attributes of a row."""
