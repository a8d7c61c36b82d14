from __future__ import annotations

import numpy as np

from genlab import contact_sheet

TILE = np.full((2, 100, 120, 3), 7, np.uint8)


def black_columns(sheet: np.ndarray) -> list[int]:
    """The columns of a sheet that have pixels of pictures, below the titles."""
    return np.flatnonzero((sheet[20:] == 7).all(axis=2).any(axis=0)).tolist()


def test_a_column_is_as_wide_as_its_title_and_its_pictures_stand_in_its_middle() -> None:
    title = "bands 4 3 2 of 8, 0 to 10000, and more words"
    wide, narrow = (np.asarray(contact_sheet({name: TILE})) for name in (title, "short"))
    assert narrow.shape[1] == 120 + 4 < wide.shape[1]
    shown = black_columns(wide)
    assert len(shown) == 120
    assert abs(shown[0] + shown[-1] + 1 - wide.shape[1]) <= 1


def test_a_title_may_have_several_lines() -> None:
    one, two = (np.asarray(contact_sheet({title: TILE})) for title in ("condition", "condition\nband 1 of 2"))
    assert two.shape[0] == one.shape[0] + 20
    assert (two[:20] < 128).any() and (two[20:40] < 128).any()
