"""Image files to arrays and back, with the values, bands and depth that the files have. Imports no torch."""
