"""Dask: what is refused before anything starts, and what a cluster does with members and loops."""

import json
import os
import socket
import threading
from dataclasses import replace

import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.cluster import SCHEDULER_VARIABLE, check_address, connect
from lnm_kit.runs.inventory import all_runs
from lnm_kit.runs.member import start_member, what_differs
from lnm_kit.runs.plan import Planner
from tests.faults.dask_cluster import dask_cluster
from tests.faults.place import Place

LOOP = """
import json, os, pathlib
import joblib
from lnm_kit.runs import Recorder, take_parameters
run = Recorder.open("llnm", take_parameters("llnm", globals()))
def square(number):
    return number**2, os.getpid()
loop = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
found = list(loop(joblib.delayed(square)(number) for number in range(20)))

from sklearn.linear_model import LogisticRegression
from lnm_kit.cohort import load_cohort
from lnm_kit.evaluation import out_of_fold_scores
from lnm_kit.radiomics import extract_features
data = load_cohort("mine")
labels, patients = data.cases.label, data.cases.patient_id
def results():
    features = extract_features(data, spacing_mm=0.2, image_types=("Original",), n_jobs=2)
    few = features.iloc[:, :3].set_axis(data.cases.index)
    scores = out_of_fold_scores(
        LogisticRegression(), few, labels, patients, folds=2, seed=0, n_jobs=2
    )
    return features, scores
there = results()
os.environ["LNM_CACHE"] = "a cache without these features"
with joblib.parallel_config("threading"):
    here = results()
same = bool((there[0] == here[0]).all(axis=None) and (there[1] == here[1]).all())
pathlib.Path("found.json").write_text(json.dumps({"loop": found, "same": same}))
run.close()
"""


@pytest.mark.parametrize(
    "address", ["", "x", "http://a:1", "a:0", "a:99999", "tcp://a", "a b:1", "a:1/x", "-p", "a:1\n"]
)
def test_address_must_be_one(address):
    with pytest.raises(InputError, match="must be HOST:PORT"):
        check_address(address)


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "node-1.here:8786", "[::1]:8786"])
def test_right_addresses_are_taken(address):
    assert check_address(address).removeprefix("tcp://") == address.removeprefix("tcp://")


@pytest.fixture
def other_server():
    """Return the address of something that takes connections and greets as it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def greet():
            kept.append(server.accept()[0])
            kept[0].sendall(b"SSH-2.0-of something else\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for each in kept:
            each.close()


def test_nothing_starts_where_no_scheduler_answers(lnm, toy_book, other_server):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    for address, reason, words in [
        (free, "refused", ("sweep", "llnm", "-p", "seed=0:2")),
        (free, "refused", ("sweep", "llnm", "-p", "seed=0:2", "--dry-run")),
        (other_server, "something else answers", ("run", "llnm")),
    ]:
        code, out, err = lnm(*words, "--scheduler", address)
        assert (code, out) == (2, "")
        assert f"no Dask scheduler answers at tcp://{address}" in err
        assert reason in err
        assert "Traceback" not in err
    code, _, err = lnm("sweep", "llnm", "-p", "seed=0:2", "-n", "2", "--scheduler", free)
    assert (code, "-n is for this machine only" in err) == (2, True)
    with pytest.raises(InputError, match="certificates are missing"):
        connect(f"tls://{free}")
    assert not (toy_book / "runs").exists()


def test_other_code_or_cohort_on_a_worker_is_refused(toy_book, write_noise_cohort):
    write_noise_cohort(toy_book / "mine")
    plan = Planner(toy_book).plan("llnm", {"cohort": "mine", "seed": 3, "profile": "smoke"})
    assert what_differs(plan) is None
    assert "has other code of the book" in what_differs(replace(plan, identity="0" * 64))
    (toy_book / "mine" / "0.png").write_bytes((toy_book / "mine" / "1.png").read_bytes())
    assert "sees other files of the cohort" in what_differs(plan)
    (toy_book / "mine" / "cohort.toml").unlink()
    assert "cannot: " in what_differs(plan)


def test_run_on_another_machine_counts_as_at_work_until_it_is_silent(make_run, tmp_path):
    process = {"pid": 1, "since": 1.0, "machine": "another"}
    folder = make_run("1-1-a", record={"outcome": "interrupted", "process": process})
    assert [run.outcome for run in all_runs(tmp_path)] == ["running"]
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    assert [run.outcome for run in all_runs(tmp_path)] == ["interrupted"]


def test_member_does_not_wait_for_a_place_on_its_own_cluster(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        "subprocess.Popen",
        lambda *words, **options: seen.update(options) or type("P", (), {"stdin": None}),
    )
    environment = {"PATH": "x", SCHEDULER_VARIABLE: "tcp://a:1"}
    start_member("{}", tmp_path / "log", tmp_path, environment)
    assert seen["env"] == {"PATH": "x"}


def test_loops_of_a_run_go_to_the_workers_and_give_the_same(tmp_path, write_noise_cohort):
    place = Place(tmp_path)
    place.write_chapter(LOOP)
    write_noise_cohort(tmp_path / "mine")
    # with one worker joblib would not leave the kernel
    with dask_cluster(tmp_path / "dask", environment=place.environment) as cluster:
        elsewhere = Place(tmp_path / "elsewhere")
        elsewhere.write_chapter("print(1)")
        refused = elsewhere.lnm("run", "llnm", "--scheduler", cluster.address)
        assert (refused.outcome, refused.code) == (None, 2)
        assert f"was started in {tmp_path}; start it in {elsewhere.folder}" in refused.said
        seen = place.lnm("run", "llnm", "-p", "profile=smoke", "--scheduler", cluster.address)
        workers = {worker.pid for worker in cluster.workers}
    assert (seen.outcome, seen.code) == ("ok", 0), seen.said
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["same"]
    numbers, where = zip(*found["loop"], strict=True)
    assert list(numbers) == [number**2 for number in range(20)]
    assert set(where) <= workers
