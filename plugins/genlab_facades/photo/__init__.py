"""How a building looks: drawn as color and depth, then lit and photographed."""
