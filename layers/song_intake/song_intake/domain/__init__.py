"""The words that all rooms use: reason, status, outcome, decision, task. Pure values."""
