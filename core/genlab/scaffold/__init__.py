"""A package of one's own to begin with: a plugin that works, to be changed into another."""
