"""Curves, forest plots and contact sheets, for reports."""
