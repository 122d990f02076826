"""What leaves the stack after the row is written: checks, dead letters, events, callbacks, logs and metrics."""
