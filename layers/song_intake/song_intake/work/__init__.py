"""One module per job, and the batch that runs the jobs side by side. Read this room first."""
