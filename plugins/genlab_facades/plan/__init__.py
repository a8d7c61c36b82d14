"""What stands in a picture, and where: from random numbers to a building."""
