"""Training on one batch, which shows whether a recipe can learn at all."""
