"""Curves and contact sheets, for reports."""
