import json
import math
import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from lnm_kit.errors import InputError
from lnm_kit.runs.folder import earlier_runs
from lnm_kit.runs.gate import page_problems
from lnm_kit.runs.grid import parse_grid
from lnm_kit.runs.member import bounded_environment
from lnm_kit.runs.sweep import run_sweep
from lnm_kit.runs.sweep_plan import plan_sweep
from lnm_kit.runs.sweep_results import mean_over_runs, over_seeds, wide_table, write_results

# no import of the package but for its exception: a member then costs no more than its kernel
MEMBER = """
import json, os, pathlib, signal, time
folder = pathlib.Path(os.environ["LNM_RUN_FOLDER"])
mended = pathlib.Path("mended").exists()
if seed == 1 and not mended:
    raise ValueError("seed <script>1</script> is unlucky")
if seed == 2 and not mended:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
if seed == 9:
    pathlib.Path("started").touch()
    time.sleep(60)
row = {"model": "SVM", "split": "test_a", "metric": "auc", "value": 0.5 + 0.1 * seed + strength}
row |= {"lo": 0.4, "hi": 1.0, "method": os.environ["OMP_NUM_THREADS"]}
(folder / "metrics.json").write_text(json.dumps([row]))
"""


@pytest.fixture
def planned(toy_book, write_chapter):
    """Return a function that plans a sweep of a chapter that takes no time."""
    # `signal` the parameter and `signal` the module share a name
    write_chapter("strength = signal / 10", MEMBER)

    def plan(*words, chapters=("llnm",), force=False):
        grid = parse_grid(words)
        return plan_sweep(chapters, grid, base={}, root=toy_book, runs_root=toy_book, force=force)

    return plan


def test_failed_members_are_kept_and_listed_and_only_they_are_repeated(planned, toy_book):
    sweep = planned("seed=0:3")
    run_sweep(sweep, toy_book, processes=3)
    outcomes = {each.varied["seed"]: each for each in sweep.members}
    assert [outcomes[seed].outcome for seed in range(3)] == ["ok", "error", "runner-died"]
    assert outcomes[1].message == "cell [4]: ValueError: seed <script>1</script> is unlucky"
    assert "code -9" in outcomes[2].message
    assert all(each.folder.is_dir() for each in sweep.members)
    record = json.loads((outcomes[2].folder / "run.json").read_text())
    assert record["outcome"] == "interrupted"
    results = write_results(sweep)
    assert results.n_runs.tolist() == [1]
    html = (sweep.folder / "index.html").read_text()
    assert page_problems(html) == []
    assert "seed &lt;script&gt;1" in html
    assert json.loads((sweep.folder / "sweep.json").read_text())["outcome"] == "error"

    (toy_book / "mended").touch()
    again = planned("seed=0:3")
    assert [each.found for each in again.members] == [True, False, False]
    run_sweep(again, toy_book, processes=2)
    assert again.failed == []
    assert again.folder != sweep.folder
    table = write_results(again)
    (row,) = table.to_dict("records")
    mean = 0.6 + 0.1
    low, high = DescrStatsW([0.6, 0.7, 0.8]).tconfint_mean()
    assert (row["n_runs"], row["value"], row["lo"], row["hi"]) == pytest.approx(
        (3, mean, low, high)
    )
    every = pd.read_csv(again.folder / "every_run.csv")
    assert set(every.seed) == {0, 1, 2}
    assert set(every.run) == {each.folder.name for each in again.members}
    assert json.loads((again.folder / "sweep.json").read_text())["outcome"] == "ok"
    assert all(each.found for each in planned("seed=0:3").members)
    assert not any(each.found for each in planned("seed=0:3", force=True).members)


def test_interrupted_sweep_keeps_what_is_finished_and_ends_the_rest(planned, toy_book):
    def interrupt():
        while not (toy_book / "started").is_file():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    sweep = planned("seed=0,9,3")
    run_sweep(sweep, toy_book, processes=1)
    assert sweep.interrupted
    assert [each.outcome for each in sweep.members] == ["ok", "interrupted", "waiting"]
    records = [record["outcome"] for _, record in earlier_runs("llnm", toy_book)]
    assert sorted(records) == ["interrupted", "ok"]
    assert json.loads((sweep.folder / "sweep.json").read_text())["outcome"] == "interrupted"
    assert len(write_results(sweep)) == 1
    assert "1 not finished" in (sweep.folder / "index.html").read_text()
    assert [each.found for each in planned("seed=0,9,3").members] == [True, False, False]


def test_wrong_sweeps_are_refused_before_anything_starts(planned, toy_book):
    with pytest.raises(InputError, match="signal is 7") as caught:
        planned("signal=0,7,8", "seed=0:3")
    assert str(caught.value).count("signal is") == 2  # each problem once, not for every seed
    with pytest.raises(InputError, match="chapter llnm is given twice"):
        planned("seed=0:2", chapters=("llnm", "llnm"))
    with pytest.raises(InputError, match="two runs of the sweep are the same"):
        plan_same(toy_book)
    with pytest.raises(InputError, match="did you mean seed"):
        planned("sede=0:3")
    assert not (toy_book / "runs").exists()


def plan_same(root):
    """Plan two runs whose values are written differently and mean the same."""
    grid = {"signal": [1, "1.0"]}
    return plan_sweep(["llnm"], grid, base={}, root=root, runs_root=root)


def test_threads_of_members_are_bounded_and_a_smaller_bound_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("MKL_NUM_THREADS", "many")
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    found = bounded_environment(4)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
    assert [found[name] for name in names] == ["2", "2", "4"]


def test_interval_over_runs_is_that_of_statsmodels_and_covers():
    generator = np.random.default_rng(0)
    values = generator.normal(0.7, 0.05, size=5)
    found = mean_over_runs(values.tolist())
    assert (found.lo, found.hi) == pytest.approx(DescrStatsW(values).tconfint_mean())
    draws = [mean_over_runs(draw) for draw in generator.normal(0.7, 0.05, size=(2000, 3))]
    covered = np.mean([each.lo <= 0.7 <= each.hi for each in draws])
    assert 0.935 < covered < 0.965


def test_one_run_has_no_interval_and_undefined_ones_are_counted():
    one = mean_over_runs([0.7])
    assert (one.value, math.isnan(one.lo), one.method) == (0.7, True, "no interval: 1 run")
    some = mean_over_runs([0.7, math.nan, 0.9])
    assert some.value == pytest.approx(0.8)
    assert some.method == "t over 2 of 3 runs, others undefined"
    assert not mean_over_runs([math.nan]).defined


def test_results_are_grouped_by_everything_but_the_seed():
    rows = [
        {"chapter": "llnm", "signal": signal, "seed": seed, "run": f"{signal}{seed}"}
        | {"model": "SVM", "split": "test_a", "metric": "auc", "value": signal + 0.1 * seed}
        for signal in (0.0, 0.5)
        for seed in (0, 1, 2)
    ]
    results = over_seeds(pd.DataFrame(rows), ["seed", "signal"])
    assert results.signal.tolist() == [0.0, 0.5]
    assert results.n_runs.tolist() == [3, 3]
    assert results.value.tolist() == pytest.approx([0.1, 0.6])
    assert results.sd.tolist() == pytest.approx([0.1, 0.1])
    header, shown = wide_table(results, ["signal"], "auc")
    assert header == ["chapter", "model", "split", "signal=0.0", "signal=0.5"]
    assert shown[0][3].startswith("0.100 (")
    many = pd.concat([results.assign(signal=float(number)) for number in range(9)])
    assert wide_table(many, ["signal"], "auc")[0][-2:] == ["setting", "value"]
