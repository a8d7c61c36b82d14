"""Ablations: one experiment in several arms over several seeds, and what their difference allows to say."""
