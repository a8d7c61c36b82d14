"""Plugins: where they are found, what each gives, and what went wrong. Importing this imports no torch.

A plugin is a module with a `genlab_register` hook, named by an entry point of the group `genlab` or given as one
Python file. A plugin that fails is kept with its failure, so that it costs nobody else anything.
"""
