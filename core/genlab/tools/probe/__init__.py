"""Effect of each skip connection of a trained generator, and gradient norms of its levels."""
