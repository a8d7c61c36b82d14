"""Discovery of plugins: entry points and files, their components, and their failures. Imports no torch.

A plugin is a module with a `genlab_register` hook, named by an entry point of the group `genlab` or given as one
Python file. A failing plugin is kept with its failure, and does not affect others.
"""
