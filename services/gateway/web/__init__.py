"""Pages a person reads: rendered on the server, no script, nothing fetched from anywhere else."""
