"""Appearance of a building: drawn as color and depth, then lit and photographed."""
