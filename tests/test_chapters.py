"""Every chapter runs to its end in the smoke profile, through the command that a reader uses."""

import json
import re
import subprocess

import pandas as pd
import pytest

from lnm_kit.cohort import load_cohort
from lnm_kit.runs.parameters import read_parameter_file
from lnm_kit.runs.schemas import PARAMETERS
from lnm_kit.simulate import simulate_cohort
from tests.chapters import (
    LNM,
    change,
    check_predictions,
    kept_models,
    positives_kept,
    run_chapter,
    smallest_cohort,
    text_of,
)

# the final networks of each chapter; lvlnm records no prediction of the network alone
MODELS = {
    "llnm": {"Network"},
    "lvlnm": set(),
    "clnm": {"DL_F"},
    "ceus": {"Triple-modality", "Triple-modality, dropout 0.3"},
    "dgfnet": {"DGFNet"},
}


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
    oracle = metrics[(metrics.model == "Oracle") & (metrics.metric == "auc")]
    judged = {split for split in metrics.split if split.startswith("test")}
    assert judged <= set(oracle.split)
    cohort = the_cohort_of(chapter, run)
    compared = {
        name for name, model in kept_models(run).items() if check_predictions(model, cohort, run)
    }
    assert compared == MODELS[chapter]
    if chapter == "llnm":
        again = tmp_path / "again"
        again.mkdir()
        second = run_chapter(chapter, again)
        assert (second / "metrics.json").read_bytes() == (run / "metrics.json").read_bytes()


def the_cohort_of(chapter, run):
    """The simulated cohort that a run has read: it is in the cache."""
    given = PARAMETERS[chapter](**read_parameter_file(run / "params.toml")).resolved()
    most = {"most_images": given.most_images} if chapter == "dgfnet" else {}
    kept = {name: getattr(given, name) for name in ("seed", "signal", "size")}
    return load_cohort(simulate_cohort(chapter, **kept, **most))


def test_llnm_leaves_out_what_a_real_cohort_lacks_and_says_so(tmp_path, ddti_source):
    cohort = tmp_path / "ddti"
    subprocess.run([LNM, "cohort", "import", "ddti", ddti_source, cohort], check=True)
    text = text_of(
        run_chapter("llnm", tmp_path, f"cohort={cohort}", "epochs=1", "compared_epochs=0")
    )
    (lacks,) = [line for line in text.splitlines() if line.startswith("This cohort lacks")]
    for column in ("sex", "tumor_size_cm", "location", "braf_v600e", "tg_ab_iu_ml"):
        assert f"`{column}`" in lacks
    assert "`age_years`" not in lacks
    assert "It comes from one center" in text
    assert "no oracle" in text


@pytest.fixture
def small_llnm(tmp_path, shared_cache):
    """The smallest simulated cohort, to be spoiled."""
    return smallest_cohort("llnm", shared_cache, tmp_path / "cohort")


def test_llnm_goes_on_where_a_column_a_split_or_the_positives_cannot_carry_a_step(
    small_llnm, tmp_path
):
    def spoil(cases):
        positives_kept(positives_kept(cases, "training", 7), "validation", 0)
        return cases.assign(sex="female", braf_v600e=cases.label)

    change(small_llnm / "cases.csv", spoil)
    short = ["folds=10", "epochs=1", "compared_epochs=0"]
    run = run_chapter("llnm", tmp_path, f"cohort={small_llnm}", *short)
    text = text_of(run)
    assert re.search(r"Among the training cases .*`sex`.* one value only", text)
    assert "validation holds one class only" in text
    assert "7 folds are made of them. Only 7: the folds are 7 instead of 10" in text
    assert "the regression has no answer" in text
    metrics = pd.read_json(run / "metrics.json")
    assert "validation" not in set(metrics.split)
    assert "test_a" in set(metrics.split)


def test_llnm_refuses_a_training_split_that_nothing_can_be_learned_from(small_llnm, tmp_path):
    change(small_llnm / "cases.csv", lambda cases: positives_kept(cases, "training", 2))
    done = subprocess.run(
        [LNM, "run", "llnm", "-p", "profile=smoke", "-p", f"cohort={small_llnm}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the training split holds 2 patients of its rarer class" in done.stderr
    assert "Traceback" not in done.stderr
