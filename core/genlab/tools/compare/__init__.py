"""Comparison of trained runs: recipes, metrics on the same images, curves and pictures."""
