"""From an SQS record to a SongRequest, or to every error in it. Pure."""
