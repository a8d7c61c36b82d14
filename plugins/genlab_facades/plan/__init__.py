"""Plan of a picture: from random numbers to a building."""
