import json
import platform
import subprocess
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
import torch
from tests.core.toys import CPU, experiment, run

from genlab import DeviceError, TrainingError
from genlab.engine import runtime
from genlab.engine.runtime import choose_device, cpu_threads, device_name, memory_errors


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
    with pytest.raises(DeviceError, match=f"finds no {name} device here; available: cpu"):
        choose_device(name)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_as_many_as_asked_for_and_then_as_before(threads):
    before = torch.get_num_threads()
    with pytest.raises(KeyError), cpu_threads(threads):
        assert torch.get_num_threads() == threads
        raise KeyError
    assert torch.get_num_threads() == before
    with cpu_threads(None):
        assert torch.get_num_threads() == before


def test_a_cpu_is_named_with_its_threads():
    assert device_name(CPU, 1) == "cpu (1 thread)"
    assert device_name(CPU, 2) == "cpu (2 threads)"
    assert device_name(CPU, None) == device_name(CPU, torch.get_num_threads())


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    ],
    ids=str,
)
def test_memory_that_does_not_suffice_is_told(error):
    with pytest.raises(TrainingError, match="out of memory"), memory_errors():
        raise error


def test_another_error_stays_as_it_is():
    with pytest.raises(RuntimeError, match="shapes do not fit"), memory_errors():
        raise RuntimeError("shapes do not fit")


_FAULTS = """
import json, resource
import torch
from genlab.engine.runtime import keep_freed_memory

def faults():
    for _ in range(10):  # some glibc take a place or two more before they find one again
        torch.ones(2**24)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

before = faults()
with keep_freed_memory():
    kept = faults()
    there = resident()
print(json.dumps([before, kept, there - resident()]))
"""


@pytest.mark.cold
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept with glibc alone")
def test_memory_is_kept_in_the_block_and_given_back_after_it(python):
    ended = subprocess.run([*python, "-c", _FAULTS], check=True, capture_output=True, text=True)
    before, kept, given_back = json.loads(ended.stdout)
    pages = 2**26 // 4096  # of one tensor
    assert before > 5 * pages
    assert kept < pages / 10
    assert given_back > pages / 2


def test_a_training_is_such_a_block(monkeypatch, tmp_path):
    told = []

    @contextmanager
    def kept():
        told.append("begun")
        yield
        told.append("ended")

    monkeypatch.setattr("genlab.engine.training.keep_freed_memory", kept)
    run(experiment(train={"steps": 2}), tmp_path / "run")
    assert told == ["begun", "ended"]


@pytest.mark.parametrize(
    ("environment", "restored"),
    [
        ({}, [(-4, 65_536), (-1, 131_072)]),
        ({"MALLOC_TRIM_THRESHOLD_": "4096"}, [(-4, 65_536), (-1, 4096)]),
        ({"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0x10:glibc.malloc.arena_max=1"}, [(-4, 16), (-1, 131_072)]),
        ({"MALLOC_MMAP_MAX_": "many"}, [(-4, 65_536), (-1, 131_072)]),
    ],
)
def test_memory_is_given_back_as_the_process_was_started(
    environment: dict[str, str], restored: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is set, as glibc does not tell what is."""
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    libc = Mock()
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: libc)
    monkeypatch.setattr(runtime.platform, "libc_ver", lambda: ("glibc", "2.36"))
    with runtime.keep_freed_memory():
        libc.reset_mock()
    assert [call.args for call in libc.mallopt.call_args_list] == restored
