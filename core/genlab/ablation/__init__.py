"""Ablation studies: one experiment in several arms over several seeds, and paired statistics of their differences."""
