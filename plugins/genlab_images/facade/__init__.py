r"""Facades that are drawn, not photographed.

    dice -> plan -> Building -> labels      the twelve classes
                           \--> photo       colours and depth on a canvas, then material, light and camera

Everything is described in units of the picture's side, so that the same building can be drawn at any size.
"""
