"""Helpers of all packages, from atomic files to exceptions as text. Importing this imports no torch."""
