"""Training: it knows methods and phases, and nothing of recipes, plugins or the command line."""
