"""Every chapter runs to its end in the smoke profile, through the command that a reader uses."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lnm_kit.runs.parameters import PARAMETERS

LNM = Path(sys.executable).with_name("lnm")


def run_chapter(chapter: str, folder: Path, *assignments: str) -> Path:
    """Run a chapter in a folder of its own and return its run folder."""
    words = [word for assignment in assignments for word in ("-p", assignment)]
    done = subprocess.run(
        [LNM, "run", chapter, "-p", "profile=smoke", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = (folder / "runs" / chapter).iterdir()
    return run


def text_of(run: Path) -> str:
    """All that the executed cells show as text."""
    cells = nbformat.read(run / "notebook.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not any(output.output_type == "error" for output in outputs)
    shown = [output.get("data", {}) for output in outputs]
    return "\n".join(data.get("text/markdown", data.get("text/plain", "")) for data in shown)


@pytest.mark.parametrize("chapter", sorted(PARAMETERS))
def test_chapter_runs_on_its_simulated_cohort(chapter, tmp_path):
    run = run_chapter(chapter, tmp_path)
    record = json.loads((run / "run.json").read_text())
    assert record["outcome"] == "ok"
    assert record["peak_memory_mb"] < 6000
    metrics = pd.read_json(run / "metrics.json")
    assert {"training", "validation", "test_a"} <= set(metrics.split)
    assert ((metrics.lo <= metrics.value) & (metrics.value <= metrics.hi)).all()
    predictions = pd.read_parquet(run / "predictions.parquet")
    assert not predictions.duplicated(["case_id", "model"]).any()
    assert "imulated" in text_of(run)
    assert list((run / "figures").glob("*.svg"))


def test_llnm_leaves_out_what_a_real_cohort_lacks_and_says_so(tmp_path, ddti_source):
    cohort = tmp_path / "ddti"
    subprocess.run([LNM, "cohort", "import", "ddti", ddti_source, cohort], check=True)
    text = text_of(run_chapter("llnm", tmp_path, f"cohort={cohort}"))
    assert "`tumor_size_cm`, `location`, `tg_ab_iu_ml` (or not every case has it)" in text
    assert "It comes from one center" in text
    assert "no oracle" in text
