"""Evaluation of a trained run on one split of its data, or on other data."""
