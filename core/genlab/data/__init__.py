"""Data pipeline: from stored pairs to batches for the networks."""
