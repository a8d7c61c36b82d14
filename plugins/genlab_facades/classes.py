"""The twelve classes of a label map."""

from enum import IntEnum


class PartClass(IntEnum):
    """The classes of the CMP Facade Database (Tylecek and Sara 2013), in its order."""

    BACKGROUND = 0
    FACADE = 1
    WINDOW = 2
    DOOR = 3
    CORNICE = 4
    """A panel or roof above one window."""
    SILL = 5
    BALCONY = 6
    BLIND = 7
    DECO = 8
    MOLDING = 9
    """A stripe across the facade."""
    PILLAR = 10
    SHOP = 11


PALETTE = (
    (0, 0, 222),
    (0, 48, 255),
    (0, 128, 255),
    (1, 207, 255),
    (32, 255, 224),
    (112, 254, 142),
    (192, 255, 63),
    (255, 240, 1),
    (255, 159, 0),
    (255, 80, 0),
    (254, 0, 0),
    (174, 0, 1),
)
"""The color of each class, by its number, as in the label images that are in use for pix2pix."""
