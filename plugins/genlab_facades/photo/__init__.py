"""How a building looks: drawn as colour and depth, then lit and photographed."""
