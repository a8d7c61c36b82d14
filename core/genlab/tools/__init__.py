"""Tools for recipes, data and runs: summary, data report, prediction, probe, benchmark."""
