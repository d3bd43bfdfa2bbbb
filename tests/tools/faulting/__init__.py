"""Parts of the fault test: each kills something else."""
