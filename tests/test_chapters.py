"""Every chapter runs to its end in the smoke profile, through the command that a reader uses."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lnm_kit.runs.schemas import PARAMETERS

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
    assert {"training", "validation"} <= set(metrics.split)
    assert any(str(split).startswith("test") for split in metrics.split)
    undefined = metrics.value.isna()
    assert metrics.method[undefined].str.startswith("undefined").all()
    defined = metrics[~undefined]
    assert ((defined.lo <= defined.value) & (defined.value <= defined.hi)).all()
    predictions = pd.read_parquet(run / "predictions.parquet")
    assert not predictions.duplicated(["case_id", "model"]).any()
    assert "imulated" in text_of(run)
    assert list((run / "figures").glob("*.svg"))
    if chapter == "llnm":
        again = tmp_path / "again"
        again.mkdir()
        second = run_chapter(chapter, again)
        assert (second / "metrics.json").read_bytes() == (run / "metrics.json").read_bytes()


def test_llnm_leaves_out_what_a_real_cohort_lacks_and_says_so(tmp_path, ddti_source):
    cohort = tmp_path / "ddti"
    subprocess.run([LNM, "cohort", "import", "ddti", ddti_source, cohort], check=True)
    text = text_of(run_chapter("llnm", tmp_path, f"cohort={cohort}", "compared_epochs=0"))
    (lacks,) = [line for line in text.splitlines() if line.startswith("This cohort lacks")]
    for column in ("sex", "tumor_size_cm", "location", "braf_v600e", "tg_ab_iu_ml"):
        assert f"`{column}`" in lacks
    assert "`age_years`" not in lacks
    assert "It comes from one center" in text
    assert "no oracle" in text


@pytest.fixture(scope="module")
def small_llnm(tmp_path_factory):
    """The smallest simulated cohort, to be spoiled."""
    root = tmp_path_factory.mktemp("small") / "cohort"
    words = ["cohort", "simulate", "llnm", root, "--size", "0.1"]
    subprocess.run([LNM, *words], check=True, cwd=root.parent)
    return root


def spoiled(small: Path, folder: Path, change) -> Path:
    root = folder / "cohort"
    shutil.copytree(small, root)
    cases = pd.read_csv(root / "cases.csv", dtype=str)
    change(cases)
    cases.to_csv(root / "cases.csv", index=False)
    return root


def positives_kept(cases: pd.DataFrame, split: str, n: int) -> None:
    positive = cases.index[(cases.split == split) & (cases.label == "1")]
    cases.loc[positive[n:], "label"] = "0"


def test_llnm_goes_on_where_a_column_a_split_or_the_positives_cannot_carry_a_step(
    small_llnm, tmp_path
):
    def change(cases):
        positives_kept(cases, "training", 7)
        positives_kept(cases, "validation", 0)
        cases["sex"] = "female"
        cases["braf_v600e"] = cases.label

    cohort = spoiled(small_llnm, tmp_path, change)
    run = run_chapter("llnm", tmp_path, f"cohort={cohort}", "folds=10", "compared_epochs=0")
    text = text_of(run)
    assert re.search(r"Among the training cases .*`sex`.* one value only", text)
    assert "validation holds one class only" in text
    assert "7 folds are made of them. Only 7: the folds are 7 instead of 10" in text
    assert "the regression has no answer" in text
    metrics = pd.read_json(run / "metrics.json")
    assert "validation" not in set(metrics.split)
    assert "test_a" in set(metrics.split)


def test_llnm_refuses_a_training_split_that_nothing_can_be_learned_from(small_llnm, tmp_path):
    cohort = spoiled(small_llnm, tmp_path, lambda cases: positives_kept(cases, "training", 2))
    done = subprocess.run(
        [LNM, "run", "llnm", "-p", "profile=smoke", "-p", f"cohort={cohort}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the training split holds 2 patients of its rarer class" in done.stderr
    assert "Traceback" not in done.stderr
