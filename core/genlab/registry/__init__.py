"""Registry of components by kind and name, from a plugin's hook to a checked class.

Importing this imports no torch.
"""
