"""The processes of a training, which take equal shares of each batch: one by itself, or several of a launcher."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar, cast
from uuid import uuid4

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]

from genlab.errors import DeviceError, GenlabError, LostProcessError
from genlab.util.environment import Launch, find_launch, refuse_invalid_launch, refuse_several_processes

T = TypeVar("T")

PATIENCE = timedelta(minutes=10)
"""Longest wait of a step for the other processes."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PREPARATION = timedelta(days=7)
"""Longest wait before the first step: one process alone reads the data."""


class Processes:
    """The processes that train one run: alone, nothing is exchanged.

    All of them call the same methods in the same order. Tensors are averaged where they are, on a GPU by NCCL;
    everything else is exchanged by gloo.

    Args:
        launch: this process's place among them; None if it is alone.
        patience: longest wait of a step for the others.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
    """

    def __init__(self, launch: Launch | None = None, patience: timedelta = PATIENCE) -> None:
        self.rank, self.size = (launch.rank, launch.size) if launch else (0, 1)
        self._launch = launch
        self._patience = patience
        self._cpu: dist.ProcessGroup | None = _new_group("gloo", patience) if launch else None
        self._cuda: dist.ProcessGroup | None = None

    @property
    def is_alone(self) -> bool:
        """True where no launcher started it, so that there is nobody to exchange anything with."""
        return self._launch is None

    @property
    def is_first(self) -> bool:
        """True for the process that listens and writes."""
        return self.rank == 0

    def require_devices(self, device: torch.device) -> None:
        """Choose this process's own device.

        Raises:
            DeviceError: the machine has fewer than it has processes, the first of which says so.
        """
        if self._launch is None or device.type == "cpu":
            return
        count, local = torch.cuda.device_count() if device.type == "cuda" else 1, self._launch
        if local.local_size > count and local.local_rank == 0:
            there = f"{count} {device.type} device{'s' if count > 1 else ''}"
            what = f"{local.local_size} processes were started on {_host()}, which has {there}"
            raise DeviceError(what, hint=f"Start one process for each device: {count}.")
        if device.type == "cuda" and local.local_rank < count:
            torch.cuda.set_device(local.local_rank)

    def connect(self, device: torch.device) -> None:
        """Let tensors on the chosen devices be exchanged; all processes call it."""
        if self._launch is not None and device.type == "cuda":
            with _exchange():
                self._cuda = _new_group("nccl", self._patience)

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's contiguous share of some items; the first ones have one more where they cannot be equal."""
        each, more = divmod(len(items), self.size)
        first = self.rank * each + min(self.rank, more)
        return items[first : first + each + (self.rank < more)]

    def rounds(self, items: Sequence[T]) -> list[T | None]:
        """`share`, with None at its end where others have more, so that all take as many rounds."""
        share = list(self.share(items))
        return [*share, *[None] * (-(-len(items) // self.size) - len(share))]

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over all processes, in one exchange."""
        found = list(tensors)
        if self._cpu is None or not found:
            return
        flat = self._mean(torch.cat([tensor.detach().reshape(-1) for tensor in found]))
        with torch.no_grad():
            for tensor, mean in zip(found, flat.split([tensor.numel() for tensor in found]), strict=True):
                tensor.copy_(mean.view_as(tensor))

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Average the gradients of parameters; one that has none in any process keeps none.

        Where only some processes have one, the others' counts as zero.
        """
        if self._cpu is None:
            return
        trained = [parameter for parameter in dict.fromkeys(parameters) if parameter.requires_grad]
        if not trained:
            return
        absent = [parameter for parameter in trained if parameter.grad is None]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        given = gradients[0].new_tensor([parameter.grad is not None for parameter in trained])
        self.average([*gradients, given])
        if absent:  # elsewhere they are not read, as that synchronizes a GPU
            for parameter, gradient, share in zip(trained, gradients, given.tolist(), strict=True):
                parameter.grad = gradient if share else None

    def averaged(self, values: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Means of scalars over all processes, in one exchange."""
        if self._cpu is None or not values:
            return values
        means = self._mean(torch.stack([value.detach() for value in values.values()]))
        return dict(zip(values, means.unbind(), strict=True))

    def summed(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        total = values.clone(memory_format=torch.contiguous_format)
        with _exchange():
            dist.all_reduce(total, group=self._group(values.device))
        return total

    def _mean(self, flat: Tensor) -> Tensor:
        with _exchange():
            dist.all_reduce(flat, group=self._group(flat.device))
        return flat.div_(self.size)

    def _group(self, device: torch.device) -> dist.ProcessGroup | None:
        return self._cuda if device.type == "cuda" else self._cpu

    def average_statistics(self, networks: Iterable[nn.Module]) -> None:
        """Average the running statistics of normalization layers, each of which has followed its process's images.

        The statistics are sums of those of batches, so this is what all processes' batches would have made of them.
        """
        if self._cpu is None:
            return
        layers = dict.fromkeys(module for network in networks for module in network.modules())
        found = [(layer.running_mean, layer.running_var) for layer in layers if isinstance(layer, _NormBase)]
        self.average(statistic for pair in found for statistic in pair if statistic is not None)

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors by those of the first process."""
        if self._cpu is None:
            return
        with torch.no_grad():
            for tensor in tensors:
                copy = tensor.detach().clone(memory_format=torch.contiguous_format)
                with _exchange():
                    dist.broadcast(copy, 0, group=self._group(copy.device))
                tensor.copy_(copy)

    def largest(self, numbers: Sequence[int]) -> list[int]:
        """The largest of each number over all processes."""
        if self._cpu is None:
            return list(numbers)
        found = torch.tensor(numbers)
        with _exchange():
            dist.all_reduce(found, dist.ReduceOp.MAX, group=self._cpu)
        return found.tolist()

    def of_first(self, value: T, *, preparing: bool = False) -> T:
        """A value of the first process; what the others give does not matter.

        Args:
            value: this one's.
            preparing: whether the first process may take as long as it wants.
        """
        if self._cpu is None:
            return value
        values: list[Any] = [value if self.is_first else None]
        with _exchange(preparing=preparing):
            dist.broadcast_object_list(values, 0, group=None if preparing else self._cpu)
        return values[0]

    def to_first(self, value: T) -> list[T]:
        """The values of all processes, by rank, for the first process; none for the others."""
        if self._cpu is None:
            return [value]
        values = [cast(T, None)] * self.size if self.is_first else None
        with _exchange():
            dist.gather_object(value, values, 0, group=self._cpu)
        return values or []

    def of_each(self, value: T, *, preparing: bool = False) -> list[T]:
        """The values of all processes, by rank.

        Args:
            value: this one's.
            preparing: whether another process may take as long as it wants.
        """
        if self._cpu is None:
            return [value]
        values = [cast(T, None)] * self.size
        with _exchange(preparing=preparing):
            dist.all_gather_object(values, value, group=None if preparing else self._cpu)
        return values

    def require_equal(self, values: Mapping[str, object]) -> None:
        """Raise a `GenlabError` that names what differs between processes, such as the version of a package."""
        (first_host, first), *others = self.of_each((_host(), values), preparing=True)
        with self.together():
            for rank, (host, other) in enumerate(others, start=1):
                for name in (name for name in {**first, **other} if other.get(name) != first.get(name)):
                    what = f"{name}: {first.get(name)} for process 0 on {first_host}, and {other.get(name)} for"
                    hint = "All processes of a run need the same recipe, data and code."
                    raise GenlabError(f"{what} process {rank} on {host}", hint=hint)

    @contextmanager
    def together(self) -> Generator[None, None, None]:
        """Context that all processes leave, or none: an error of any is raised, once, by the first that has it.

        The others raise a `LostProcessError`.
        """
        error: Exception | None = None
        try:
            yield
        except LostProcessError:
            raise
        except Exception as caught:  # noqa: BLE001  (whatever it is, the others have to know)
            error = caught
        failed = self.of_each(error is not None)
        if error and not any(failed[: self.rank]):
            raise error
        if any(failed):
            raise LostProcessError(f"process {failed.index(True)} failed, and says why")


@contextmanager
def joined(patience: timedelta = PATIENCE) -> Generator[Processes, None, None]:
    """Context in which this process is one of those that a launcher such as `torchrun` started; alone without one."""
    launch = find_launch()
    if launch is None:
        refuse_several_processes()
        yield Processes()
        return
    refuse_invalid_launch(launch)
    with _exchange(preparing=True):
        store, rank, size = next(rendezvous("env://", timeout=patience))
        store = PrefixStore(_session(store, rank, size), store)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_PREPARATION)
        processes = Processes(launch, patience)
    yield processes
    dist.destroy_process_group()  # after an error it could wait for a process that is gone


def _session(store: Store, rank: int, size: int) -> str:
    """A name that processes which are alive agree on: torchrun's store still has what those before a restart wrote."""
    if rank == 0:
        session = uuid4().hex
        store.set("genlab/session", session)
        for other in range(1, size):
            asked = store.get(f"{session}/{other}").decode()
            store.set(f"{session}/{other}/{asked}", "")
        return session
    own = uuid4().hex
    while True:
        session = store.get("genlab/session").decode()
        store.set(f"{session}/{rank}", own)
        with suppress(dist.DistStoreError):  # the first process of that session is gone
            store.wait([f"{session}/{rank}/{own}"], timedelta(seconds=1))
            return session


@contextmanager
def _exchange(*, preparing: bool = False) -> Generator[None, None, None]:
    """Context of an exchange with other processes, of which one may be gone.

    Args:
        preparing: whether it may take long: as Python handles no signal meanwhile, they end the process.
    """
    ending = preparing and threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _SIGNALS} if ending else {}
    try:
        yield
    except RuntimeError as error:
        reason = "did not answer in time" if "imed out" in str(error) else "is gone"
        raise LostProcessError(f"another process of the training {reason}") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _new_group(backend: str, patience: timedelta) -> dist.ProcessGroup:
    """A group of all processes."""
    return cast(dist.ProcessGroup, dist.new_group(timeout=patience, backend=backend))


def _host() -> str:
    return socket.gethostname()
