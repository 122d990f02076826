"""One module per job, and the batch that runs the jobs in parallel. Read this room first."""
