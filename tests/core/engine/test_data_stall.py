import logging

import pytest

from genlab.engine.data_stall import DataStallMonitor
from genlab.engine.timing import Throughput


def warnings(caplog, *paces):
    data_stall = DataStallMonitor()
    with caplog.at_level(logging.WARNING, "genlab"):
        for seconds, waiting in paces:
            data_stall.note(Throughput(seconds, 1.0, waiting))
    return [record.getMessage() for record in caplog.records]


def test_waiting_is_told_once_when_a_minute_of_it_is_over(caplog):
    (told,) = warnings(caplog, (20, 0.5), (20, 0.5), (20, 0.2), (60, 0.9), (60, 0.9))
    assert told.startswith("Data stall: 40% of the last minute")


@pytest.mark.parametrize("paces", [[(30, 0.9)], [(59, 0.05), (1, 0.05)], [(1, 1.0), (59, 0.01)]])
def test_a_short_or_a_small_wait_is_not_worth_a_word(caplog, paces):
    assert not warnings(caplog, *paces)


def test_a_slow_beginning_is_forgotten(caplog):
    assert not warnings(caplog, (1, 1.0), (59, 0.0), (60, 0.04))
    (told,) = warnings(caplog, (60, 0.0), (60, 0.06))
    assert told.startswith("Data stall: 6% ")
