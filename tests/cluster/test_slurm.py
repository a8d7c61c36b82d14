"""Ablations on a real Slurm of one node, which is made for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cluster.toy import await_true, has_checkpoint, train_locally, write_ablation
from tests.core.ablation.outputs import figures, trials, weights

pytestmark = pytest.mark.cluster

CONFIGURATION = """
ClusterName=genlab
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
KillWait=10
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of commands that reach a cluster of one node; it needs root, as its daemons do."""
    for command in ("slurmctld", "slurmd", "munged"):
        if not shutil.which(command) and not Path("/usr/sbin", command).is_file():
            pytest.skip(f"there is no {command}: apt-get install slurmctld slurmd slurm-client munge")
    folder = Path("/tmp") / f"genlab-slurm-{os.getpid()}"  # a socket's path is short
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    host = socket.gethostname().partition(".")[0]
    configuration = folder / "slurm.conf"
    ports = {"controller_port": free_port(), "node_port": free_port()}
    configuration.write_text(CONFIGURATION.format(host=host, folder=folder, **ports))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    with ExitStack() as stack:
        for command in (
            ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}"]
            + [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "log", "seed")],
            ["slurmctld", "-D", "-f", str(configuration)],
            ["slurmd", "-D", "-f", str(configuration)],
        ):
            process = subprocess.Popen(
                [f"/usr/sbin/{command[0]}", *command[1:]],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=stack.enter_context((folder / f"{command[0]}.err").open("w")),
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            time.sleep(2)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(subprocess.run, ["scancel", "--me"], env=environment)
        await_true(lambda: "idle" in ask(environment, "sinfo", "--noheader"), 30)
        yield environment


def ask(environment: Mapping[str, str], *command: str) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


@pytest.mark.parametrize("recipe", ["toy", "ablation_skips_small"])
def test_a_job_that_is_requeued_in_the_middle_goes_on(
    slurm: Mapping[str, str], tiny: Path, tmp_path: Path, recipe: str
) -> None:
    words = write_ablation(recipe, tmp_path, tiny)
    (tmp_path / "flag").touch()
    command = [sys.executable, "-m", "genlab", *words, "--out", "out", "--submit", "slurm", "--partition", "short"]
    command += ["--time", "0:30:00"]
    watching = subprocess.Popen(command, cwd=tmp_path, env=slurm, stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "out"
    await_true(lambda: has_checkpoint(folder))
    queue = ask(slurm, "squeue", "--noheader", "--format=%A %t").split("\n")
    running = next(line.split()[0] for line in queue if line.endswith(" R"))
    subprocess.run(["scontrol", "requeue", running], env=slurm, check=True)
    (tmp_path / "flag").unlink()

    # The same command attaches to what is there.
    second = subprocess.Popen(command, cwd=tmp_path, env=slurm, stderr=subprocess.PIPE, text=True)
    told = [process.communicate(timeout=400)[1] for process in (watching, second)]
    assert [watching.returncode, second.returncode] == [0, 0], told
    assert "Submitted job" in told[0]
    assert "Submitted job" not in told[1]
    trained = trials(folder)
    assert told[0].count("finished    ") == len(trained) >= 4
    logs = "".join(path.read_text() for path in (folder / "slurm").iterdir())
    assert "interrupted" in logs, "the requeued task saved its trial"
    assert "Traceback" not in logs
    local = train_locally(tmp_path, words)
    assert trials(local) == trained
    assert figures(folder) == figures(local)
    assert weights(folder) == weights(local)


def test_what_slurm_refuses_is_told(slurm: Mapping[str, str], tiny: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "genlab",
        *write_ablation("toy", tmp_path, tiny),
        "--out",
        "out",
        "--submit",
        "slurm",
    ]
    done = subprocess.run([*command, "--partition", "none"], cwd=tmp_path, env=slurm, capture_output=True, text=True)
    assert done.returncode == 2
    assert "sbatch failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert "invalid partition" in done.stderr
