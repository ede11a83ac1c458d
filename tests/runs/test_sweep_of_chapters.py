"""A sweep of several chapters at once: what it would do, and its one table over the seeds."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell
from statsmodels.stats.weightstats import DescrStatsW

from lnm_kit.runs.gate import page_problems
from lnm_kit.runs.schemas import ClnmParameters

MEMBER = """
import json, os, pathlib
folder = pathlib.Path(os.environ["LNM_RUN_FOLDER"])
value = 0.6 + 0.1 * seed + (0.05 if "components" in globals() else 0.0)
row = {"model": "M", "split": "test", "metric": "auc", "value": value, "lo": 0.4, "hi": 1.0}
(folder / "metrics.json").write_text(json.dumps([row | {"method": "none"}]))
"""


@pytest.fixture
def two_chapters(toy_book, write_chapter):
    """Two chapters with parameters of their own and results that differ by 0.05."""
    path = write_chapter(MEMBER)
    notebook = nbformat.read(path, as_version=4)
    defaults = ClnmParameters().model_dump()
    source = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
    tagged = new_code_cell(source, metadata={"tags": ["parameters"]})
    notebook.cells[1] = tagged
    nbformat.write(notebook, path.with_name("clnm.ipynb"))
    return toy_book


def test_dry_run_lists_every_run_of_every_chapter(lnm, two_chapters):
    words = ("sweep", "llnm,clnm", "-p", "profile=smoke", "-p", "seed=0:3", "--dry-run")
    code, out, _ = lnm(*words)
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [
        ["would", "run", chapter] for chapter in ("llnm", "clnm") for _ in range(3)
    ]
    assert [line.rpartition("seed=")[2] for line in lines[:-1]] == ["0", "1", "2"] * 2
    assert lines[-1] == "6 runs, 0 of them finished before"
    assert not (two_chapters / "runs").exists()
    # a parameter that one of them does not have is named before anything starts
    code, _, err = lnm("sweep", "llnm,clnm", "-p", "seed=0:3", "-p", "wavelets=true", "--dry-run")
    assert (code, "wavelets" in err) == (2, True)


def test_results_stand_in_one_table_with_intervals_over_the_seeds(lnm, two_chapters):
    code, _, err = lnm("sweep", "llnm,clnm", "-p", "profile=smoke", "-p", "seed=0:3", "-n", "2")
    assert code == 0, err
    (folder,) = two_chapters.glob("runs/*/sweeps/*")
    results = pd.read_csv(folder / "results.csv").set_index("chapter")
    for chapter, shift in (("llnm", 0.0), ("clnm", 0.05)):
        values = [0.6 + 0.1 * seed + shift for seed in range(3)]
        low, high = DescrStatsW(values).tconfint_mean()
        row = results.loc[chapter]
        assert (row.value, row.lo, row.hi) == pytest.approx((values[1], low, high))
        assert (row.n_runs, row.method) == (3, "t over 3 runs")
    every = pd.read_csv(folder / "every_run.csv")
    assert every.groupby("chapter").seed.apply(list).to_dict() == {
        "clnm": [0, 1, 2],
        "llnm": [0, 1, 2],
    }
    page = (folder / "index.html").read_text()
    assert page_problems(page) == []
    for text in ("Sweep of llnm, clnm", "clnm", "0.700 (0.452 to 0.948)", "mean nothing"):
        assert text in page
