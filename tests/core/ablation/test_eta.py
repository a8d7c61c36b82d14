import pytest

from genlab.ablation.eta import TimeEstimate


def test_nothing_is_expected_before_anything_is_known():
    assert TimeEstimate({}, {"a, seed 0": "a", "b, seed 0": "b"}).left(1) is None


def test_what_is_missing_takes_what_others_of_its_arm_took_or_all_others():
    estimate = TimeEstimate({"a": [10.0, 20.0], "b": [60.0]}, {"1": "a", "2": "b", "3": "c"})
    assert estimate.left(1) == pytest.approx(15 + 60 + 30)


def test_no_more_cells_are_trained_at_a_time_than_are_missing():
    estimate = TimeEstimate({"a": [10.0]}, {"1": "a", "2": "a"})
    assert [estimate.left(jobs) for jobs in (1, 2, 8)] == [20.0, 10.0, 10.0]


def test_of_a_cell_that_is_trained_now_only_the_rest_is_missing():
    estimate = TimeEstimate({"a": [10.0]}, {"1": "a", "2": "a"})
    estimate.moved("1", 0.9)
    assert estimate.left(1) == pytest.approx(11.0)


def test_a_cell_that_ends_is_not_missing_any_more_and_tells_how_long_others_take():
    estimate = TimeEstimate({}, {"1": "a", "2": "a", "3": "a", "4": "b"})
    estimate.ended("1", 10.0)
    assert estimate.left(1) == 30.0
    estimate.ended("2", 30.0)
    estimate.ended("4", None)
    assert estimate.left(1) == 20.0
    estimate.ended("3", 20.0)
    assert estimate.left(1) == 0.0
