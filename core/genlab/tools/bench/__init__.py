"""How fast a recipe trains, beside the plain way to compute the same."""
