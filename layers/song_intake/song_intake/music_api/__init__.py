"""The vendor: what it is asked, what a response proves, and how its webhooks are verified."""
