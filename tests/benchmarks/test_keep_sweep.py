"""A sweep's metrics come back with the command that gave them."""

import json

import pandas as pd
import pytest

from benchmarks.keep_sweep import keep
from lnm_kit.errors import InputError
from lnm_kit.measured import measured_sweep


def write_sweep(folder, *, outcome="ok", **grid):
    sweep = {"outcome": outcome, "chapters": ["llnm"], "grid": {"seed": [0, 1, 2]} | grid}
    (folder / "sweep.json").write_text(json.dumps(sweep))
    row = {"model": "SVM", "split": "training", "n_runs": 3, "lo": 0.6, "hi": 0.8, "sd": 0.1}
    rows = [row | {"metric": name, "value": 0.7} for name in ("auc", "brier")]
    pd.DataFrame(rows).to_csv(folder / "results.csv", index=False)


def test_what_was_kept_is_read_with_its_command(tmp_path):
    write_sweep(tmp_path, size=[0.4])
    path = tmp_path / "sweeps.json"
    keep(tmp_path, path)
    found = measured_sweep("llnm", path)
    assert found.command == "lnm sweep llnm -p seed=0,1,2 -p size=0.4"
    assert str(found.metric("SVM", "training", "auc")) == "0.700 (0.600 to 0.800)"
    assert found.rows.metric.tolist() == ["auc"]
    with pytest.raises(InputError, match="0 rows of auc of SVM on test"):
        found.metric("SVM", "test", "auc")


def test_the_sweeps_of_other_chapters_stay(tmp_path):
    path = tmp_path / "sweeps.json"
    path.write_text(json.dumps({"ceus": {"command": "x", "measured": "2026-01-01", "rows": []}}))
    write_sweep(tmp_path)
    keep(tmp_path, path)
    assert set(json.loads(path.read_text())) == {"ceus", "llnm"}


@pytest.mark.parametrize("changes", [{"outcome": "interrupted"}, {"signal": [0, 1]}])
def test_unfinished_sweeps_and_those_of_more_than_seeds_are_refused(tmp_path, changes):
    write_sweep(tmp_path, **changes)
    with pytest.raises(SystemExit, match=tmp_path.name):
        keep(tmp_path, tmp_path / "sweeps.json")
    assert not (tmp_path / "sweeps.json").exists()


def test_an_unknown_chapter_and_a_damaged_file_are_named(tmp_path):
    path = tmp_path / "sweeps.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="chapter is 'llnm'"):
        measured_sweep("llnm", path)
    path.write_text("{")
    with pytest.raises(InputError, match=r"sweeps\.json cannot be read"):
        measured_sweep("llnm", path)
