"""Song intake: one paid create per song request, recorded, followed to its end, and published."""
