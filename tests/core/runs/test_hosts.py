"""Two hosts, made with network namespaces, train one run; `pytest -m cluster tests/core/runs/test_hosts.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.core.runs.shared import options, positions, variables
from tests.core.runs.test_shared_runs import BATCH, STEPS, TINY, assert_equal, undisturbed as undisturbed

pytestmark = pytest.mark.cluster

HOSTS = ("genlab-a", "genlab-b")


def address(number: int) -> str:
    return f"10.91.0.{number + 1}"


@pytest.fixture
def hosts() -> Iterator[tuple[str, ...]]:
    """Two network namespaces with a cable between them, which see nothing else."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces are made by root, with `ip`")
    commands = [f"ip netns add {host}" for host in HOSTS]
    commands.append(f"ip link add {HOSTS[0]} netns {HOSTS[0]} type veth peer name {HOSTS[1]} netns {HOSTS[1]}")
    for number, host in enumerate(HOSTS):
        commands += [
            f"ip -n {host} addr add {address(number)}/24 dev {host}",
            f"ip -n {host} link set {host} up",
            f"ip -n {host} link set lo up",
        ]
    try:
        for command in commands:
            done = subprocess.run(command.split(), capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"network namespaces cannot be made here: {done.stderr.strip()}")
        yield HOSTS
    finally:
        for host in HOSTS:
            subprocess.run(["ip", "netns", "delete", host], capture_output=True)


def launch(host: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    number = HOSTS.index(host)
    torchrun = (
        f"-m torch.distributed.run --nnodes 2 --nproc-per-node 1 --max-restarts 2 --rdzv-backend c10d --rdzv-id hosts "
        f"--rdzv-endpoint {address(0)}:29400 --rdzv-conf is_host={1 - number} --local-addr {address(number)}"
    )
    genlab = ["-m", "genlab", "run", TINY, *options(tmp_path, "checkpoint.minutes=1e-9"), "--out", tmp_path / "run"]
    command = ["ip", "netns", "exec", host, sys.executable, *torchrun.split(), *genlab]
    given = {"GLOO_SOCKET_IFNAME": host, "OMP_NUM_THREADS": "1"}
    environment = {**variables(tmp_path, at="1/4", does="SIGKILL"), **given}
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300)


def test_a_rank_is_killed_in_the_middle(hosts: tuple[str, ...], undisturbed: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda host: launch(host, tmp_path), hosts))
    assert [done.returncode for done in ended] == [0, 0], "\n\n".join(done.stderr for done in ended)
    assert (tmp_path / "sprung").exists()
    assert_equal(tmp_path / "run", undisturbed)
    assert positions(tmp_path) == dict.fromkeys(range(STEPS * BATCH), 1)
