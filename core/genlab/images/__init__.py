"""Lossless reading and writing of image files: values, bands and bit depth are preserved. Imports no torch."""
