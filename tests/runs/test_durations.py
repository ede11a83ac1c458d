"""Where a book's time goes, read from run folders."""

import json

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lnm_kit.runs.durations import OTHER, page_times, section_times, stage_times, timed_runs


def write_run(root, page, name, *, profile="demo", **record):
    folder = root / "runs" / page / name
    folder.mkdir(parents=True)
    known = {"chapter": page, "outcome": "ok", "wall_time_s": 10.0, "processors": 2}
    (folder / "run.json").write_text(json.dumps(known | record))
    (folder / "params.toml").write_text(f'profile = "{profile}"\n' if profile else "")
    cells = [
        new_code_cell("import numpy"),
        new_markdown_cell("# Title\n\ntext\n\n## First"),
        new_code_cell("1"),
        new_markdown_cell("no heading"),
        new_code_cell("2"),
        new_markdown_cell("## Second"),
        new_code_cell("3"),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "notebook.ipynb")
    return folder


def test_sections_and_stages_add_up_to_the_wall_time(tmp_path):
    stages = {"cohort": 2.0, "network": 3.5}
    write_run(tmp_path, "llnm", "20260101-a", cells_s=[0.5, 1, 2, 4], stages_s=stages)
    (run,) = timed_runs(tmp_path, profile="demo")
    assert section_times(run).to_dict() == {"First": 3.0, "Second": 4.0, OTHER: 3.0}
    assert stage_times(run).to_dict() == {"cohort": 2.0, "network": 3.5, OTHER: 4.5}
    (row,) = page_times([run]).to_dict("records")
    assert row == {
        "page": "llnm",
        "seconds": 10.0,
        "processors": 2,
        "slowest": "Second",
        "slowest_s": 4.0,
    }


def test_the_newest_good_run_of_the_profile_counts_or_the_one_that_is_named(tmp_path):
    write_run(tmp_path, "llnm", "20260101-a", wall_time_s=20.0)
    write_run(tmp_path, "llnm", "20260102-b", wall_time_s=30.0)
    write_run(tmp_path, "llnm", "20260103-c", outcome="error")
    write_run(tmp_path, "llnm", "20260104-d", profile="smoke")
    write_run(tmp_path, "llnm", "20260105-e", wall_time_s=None)
    write_run(tmp_path, "book-page", "20260101-a", profile="", wall_time_s=99.0)
    names = [run.name for run in timed_runs(tmp_path, profile="demo")]
    assert names == ["book-page/20260101-a", "llnm/20260102-b"]
    shown = timed_runs(tmp_path, profile="demo", shown={"llnm": "20260101-a"})
    assert [run.name for run in shown] == ["book-page/20260101-a", "llnm/20260101-a"]


def test_a_run_without_stages_or_notebook_is_still_counted(tmp_path):
    folder = write_run(tmp_path, "llnm", "20260101-a", stages_s=None)
    (folder / "notebook.ipynb").unlink()
    (run,) = timed_runs(tmp_path, profile="demo")
    assert stage_times(run).to_dict() == {OTHER: 10.0}
    table = page_times([run])
    assert table["slowest"].tolist() == [""]
    assert pd.isna(table["slowest_s"][0])


def test_overlapping_stages_leave_no_negative_rest(tmp_path):
    write_run(tmp_path, "llnm", "20260101-a", stages_s={"all": 9.0, "part of it": 8.0})
    (run,) = timed_runs(tmp_path, profile="demo")
    assert stage_times(run)[OTHER] == pytest.approx(0)
