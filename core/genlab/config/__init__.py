"""Configuration: TOML recipes and `--set` overrides merged into one table that records every value's origin."""
