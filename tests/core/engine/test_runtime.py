import pytest
import torch
from tests.core.toys import CPU

from genlab import DeviceError
from genlab.engine.runtime import choose_device, device_name, random_states, restore_random_states, set_threads


def test_auto_takes_the_first_device_that_is_there(monkeypatch):
    for cuda, mps, chosen in [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=cuda: there)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=mps: there)
        assert choose_device("auto").type == chosen
        assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=f"finds no {name} device here; there is cpu"):
        choose_device(name)


def test_threads_are_as_many_as_asked_for():
    assert set_threads(2) == torch.get_num_threads() == 2
    assert set_threads(None) == 2
    assert device_name(CPU) == "cpu (2 threads)"


def test_random_numbers_go_on_from_a_state():
    states = random_states(CPU)
    drawn = torch.rand(1000)
    restore_random_states(states, CPU)
    assert torch.equal(torch.rand(1000), drawn)
    assert list(states) == ["cpu"]
