import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.published import published
from lnm_kit.runs.finalists import FINALISTS, printed_aucs
from lnm_kit.runs.scoreboard import (
    auc_table,
    final_predictions,
    recalibrated_predictions,
    study_runs,
)


def metric(model, split, value, metric="auc"):
    known = value is not None
    lo, hi = (value - 0.1, value + 0.1) if known else (None, None)
    return {"model": model, "split": split, "metric": metric, "value": value, "lo": lo, "hi": hi}


def predictions(rng, *, slope=1.0, model="Combined"):
    parts = []
    for split in ("training", "test"):
        probability = rng.uniform(0.05, 0.95, 400)
        log_odds = slope * np.log(probability / (1 - probability)) - 1
        label = (rng.random(400) < 1 / (1 + np.exp(-log_odds))).astype(int)
        parts.append(
            pd.DataFrame(
                {
                    "case_id": [f"{split}-{n}" for n in range(400)],
                    "split": split,
                    "model": model,
                    "probability": probability,
                    "label": label,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("study", FINALISTS)
def test_the_final_model_is_the_one_of_the_papers_headline(study):
    finalist = FINALISTS[study]
    found = printed_aucs(study, {})
    assert found.split.is_unique
    assert finalist.held_out in set(found.split)
    assert found.value.between(0.5, 1).all()
    interval = found.dropna()
    assert ((interval.lo <= interval.value) & (interval.value <= interval.hi)).all()
    printed = {
        str(cell) for row in published(study).get("headline", {}).get("rows", []) for cell in row
    }
    if printed:
        assert f"{found.set_index('split').value[finalist.held_out]:.3f}" in printed


def test_the_site_of_a_run_decides_which_value_stands_beside_it():
    central, lateral = (printed_aucs("dgfnet", {"site": site}) for site in ("central", "lateral"))
    assert central.set_index("split").value.to_dict() == {"training": 0.875, "test": 0.903}
    assert lateral.set_index("split").value.to_dict() == {"training": 0.859}


def test_the_newest_good_run_of_the_profile_counts(make_run, tmp_path):
    old = {"signal": 1.0}
    make_run("20260101-000000-a", chapter="clnm", **old)
    make_run("20260102-000000-b", chapter="clnm", **old)
    make_run("20260103-000000-c", chapter="clnm", record={"outcome": "error"}, **old)
    make_run("20260104-000000-d", chapter="clnm", signal=0.0)
    make_run("20260105-000000-e", chapter="clnm", cohort="elsewhere", **old)
    make_run("20260106-000000-f", chapter="clnm", profile="demo", **old)
    found = study_runs(tmp_path, profile="smoke", shown={})
    assert {study: run.folder.name for study, run in found.items()} == {"clnm": "20260102-000000-b"}


def test_given_runs_are_shown_and_no_others(make_run, tmp_path):
    make_run("20260101-000000-a", chapter="clnm", signal=1.0)
    make_run("20260102-000000-b", chapter="clnm", signal=1.0)
    make_run("20260102-000000-c", chapter="ceus", signal=1.0)
    make_run("20260102-000000-d", chapter="llnm", record={"outcome": "error"}, signal=1.0)
    found = study_runs(tmp_path, profile="smoke", shown={"clnm": "20260101-000000-a"})
    assert {study: run.folder.name for study, run in found.items()} == {"clnm": "20260101-000000-a"}
    with pytest.raises(InputError, match="did not end well"):
        study_runs(tmp_path, profile="smoke", shown={"llnm": "20260102-000000-d"})
    with pytest.raises(InputError, match="no folder of a run"):
        study_runs(tmp_path, profile="smoke", shown={"llnm": "nowhere"})


def test_without_runs_the_papers_values_stand_alone(tmp_path):
    assert study_runs(tmp_path, profile="smoke", shown={}) == {}
    table = auc_table({})
    assert set(table.source) == {"paper"}
    assert list(dict.fromkeys(table.study)) == list(FINALISTS)


def test_each_source_comes_from_its_own_model_and_nothing_is_filled_in(make_run, tmp_path):
    rows = [
        metric("Combined", "test", 0.7),
        metric("Combined", "test", 0.6, "sensitivity"),
        metric("Clinical", "test", 0.65),
        metric("Oracle", "test", 0.9),
        metric("Oracle", "elsewhere", 0.9),
        metric("Combined, honest, labels without signal", "test", None),
    ]
    make_run("20260101-000000-a", chapter="clnm", signal=1.0, metrics=rows)
    table = auc_table(study_runs(tmp_path, profile="smoke", shown={}))
    found = table[(table.study == "clnm") & (table.split == "test")].set_index("source")
    assert found.value.to_dict() == {"paper": 0.873, "our run": 0.7, "oracle": 0.9}
    assert found.place["paper"] == "text"
    assert list(table[table.study == "clnm"].split.unique()) == ["training", "validation", "test"]


@pytest.mark.parametrize(
    ("study", "null", "split", "whose"),
    [
        ("llnm", "SVM, labels without signal", "training", "SVM"),
        ("lvlnm", "Thy-Radiomics, labels without signal", "test", "Thy-Radiomics"),
        ("clnm", "Combined, honest, labels without signal", "test", ""),
    ],
)
def test_a_null_says_whose_it_is(make_run, tmp_path, study, null, split, whose):
    rows = [metric(FINALISTS[study].model, split, 0.7), metric(null, split, 0.52)]
    make_run("20260101-000000-a", chapter=study, signal=1.0, metrics=rows)
    table = auc_table(study_runs(tmp_path, profile="smoke", shown={}))
    found = table[(table.study == study) & (table.source == "null")]
    assert found[["split", "value", "place"]].values.tolist() == [[split, 0.52, whose]]


def test_recalibration_is_learned_on_unseen_cases_and_judged_on_others(make_run, tmp_path):
    rng = np.random.default_rng(0)
    kept = predictions(rng)
    kept.loc[kept.case_id == "test-0", "probability"] = 0.0
    make_run("20260101-000000-a", chapter="clnm", signal=1.0, predictions=kept)
    (run,) = study_runs(tmp_path, profile="smoke", shown={}).values()
    found, shift = recalibrated_predictions("clnm", run)
    assert set(found.index.str.split("-").str[0]) == {"test"}
    assert shift.slope == pytest.approx(1, abs=0.3)
    assert shift.intercept == pytest.approx(-1, abs=0.4)
    assert found.recalibrated.mean() == pytest.approx(found.label.mean(), abs=0.06)
    assert found.recalibrated.rank().equals(found.probability.rank())


def test_scores_that_rank_the_wrong_way_are_not_turned_round(make_run, tmp_path):
    kept = predictions(np.random.default_rng(0), slope=-1.0)
    make_run("20260101-000000-a", chapter="clnm", signal=1.0, predictions=kept)
    (run,) = study_runs(tmp_path, profile="smoke", shown={}).values()
    with pytest.raises(InputError, match="rank no better than chance"):
        recalibrated_predictions("clnm", run)


def test_predictions_that_were_not_kept_are_named(make_run, tmp_path):
    make_run("20260101-000000-a", chapter="clnm", signal=1.0)
    (run,) = study_runs(tmp_path, profile="smoke", shown={}).values()
    with pytest.raises(InputError, match="no predictions of Combined on test"):
        final_predictions("clnm", run, "test")
