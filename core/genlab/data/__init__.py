"""From stored pairs to batches for the networks."""
