"""Scaffolding: a new plugin package that works and can be edited."""
