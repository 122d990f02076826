"""Parses and validates: from an SQS record to a SongRequest, or to all errors in it. Pure."""
