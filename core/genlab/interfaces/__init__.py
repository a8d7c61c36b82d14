"""Interfaces of components, one a file. Authors import these names from `genlab` itself."""
