"""Training speed of a recipe against the plain implementation of the same step."""
