"""Verification of a run: what it recorded against its files, its data, the code, and steps that are trained again."""
