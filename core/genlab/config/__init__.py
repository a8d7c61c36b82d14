"""Recipes as text: TOML files and `--set` merged into one table in which every value knows its origin."""
