"""Statistics of the two sides of pairs, and what is suspicious about them."""
