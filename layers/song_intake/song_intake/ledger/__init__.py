"""One DynamoDB row per request; every write is conditional. No other room names an attribute of a row."""
