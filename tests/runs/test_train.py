"""Training under torchrun: two processes of a processor give the network that one gives."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lnm_kit.training.model_file import read_model

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TRAIN = ["-m", "lnm_kit.runs.train", "llnm", "-p", "profile=smoke", "-p", "cohort=mine"]
SMALL = ["-p", "image_size_px=32", "-p", "epochs=2", "-p", "batch_size=8", "-p", "device=cpu"]


def run(folder, repository, *words):
    paths = os.pathsep.join([str(folder), str(repository)])
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def place(tmp_path, write_noise_cohort):
    write_noise_cohort(tmp_path / "mine")
    return tmp_path


def test_two_processes_leave_the_model_of_one(place, repository, lnm, monkeypatch):
    alone = run(place, repository, *TRAIN, *SMALL, "--out", "alone")
    assert alone.returncode == 0, alone.stderr[-2000:]
    both = run(place, repository, *TORCHRUN, *TRAIN, *SMALL, "--out", "both")
    assert both.returncode == 0, both.stderr[-2000:]
    assert "trained by 2 processes" in both.stdout
    assert both.stdout.count("AUC, training, held-out fold") == 1  # one process speaks
    for rank in (0, 1):
        assert f"process {rank}: cpu, 2 processes" in both.stderr
    assert sorted(path.name for path in place.iterdir()) == ["alone", "both", "mine"]

    monkeypatch.chdir(place)
    for name in ("alone", "both"):
        assert lnm("predict", name, "mine", "--out", f"{name}.csv")[0] == 0
    a, b = (pd.read_csv(place / f"{name}.csv").probability for name in ("alone", "both"))
    # each process normalizes its own half of a batch, so the two are near and not the same
    assert np.abs(a - b).max() < 0.1
    one, two = (read_model(place / name).networks[0].state_dict() for name in ("alone", "both"))
    assert one["mean"] == two["mean"]
    first = "backbone.conv1.0.weight"
    assert np.corrcoef(one[first].flatten(), two[first].flatten())[0, 1] > 0.99

    # checked before anything is started, and said by one process
    again = run(place, repository, *TRAIN, *SMALL, "--out", "both")
    assert (again.returncode, "both exists already" in again.stderr) == (2, True)
    assert "Traceback" not in again.stderr
