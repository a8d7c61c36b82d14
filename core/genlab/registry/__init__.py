"""Components by kind and name: from a plugin's hook to a class that keeps its contract.

Importing this imports no torch.
"""
