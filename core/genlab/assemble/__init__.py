"""Where recipes and components meet: a document becomes a checked recipe, and that an experiment ready to train."""
