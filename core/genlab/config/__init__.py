"""From TOML files and `--set` to one table in which every value knows where it was written."""
