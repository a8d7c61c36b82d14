"""Assembly of config and registry: a document becomes a checked recipe, and that an experiment ready to train."""
