import pytest

from genlab.ablation.pace import Pace


def test_nothing_is_expected_before_anything_is_known():
    assert Pace({}, ["a", "b"]).left(1) is None


def test_what_is_missing_takes_what_others_of_its_arm_took_or_all_others():
    pace = Pace({"a": [10.0, 20.0], "b": [60.0]}, ["a", "b", "c"])
    assert pace.left(1) == pytest.approx(15 + 60 + 30)


def test_no_more_cells_are_trained_at_a_time_than_are_missing():
    pace = Pace({"a": [10.0]}, ["a", "a"])
    assert [pace.left(jobs) for jobs in (1, 2, 8)] == [20.0, 10.0, 10.0]


def test_a_cell_that_ends_is_not_missing_any_more_and_tells_how_long_others_take():
    pace = Pace({}, ["a", "a", "a", "b"])
    pace.ended("a", 10.0)
    assert pace.left(1) == 30.0
    pace.ended("a", 30.0)
    pace.ended("b", None)
    assert pace.left(1) == 20.0
    pace.ended("a", 20.0)
    assert pace.left(1) == 0.0
