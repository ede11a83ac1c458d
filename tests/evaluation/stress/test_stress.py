import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lnm_kit.cli import build_app
from lnm_kit.errors import InputError
from lnm_kit.evaluation.stress import PROTOCOLS, Design, draw_table, fit_score, stress, summarize
from lnm_kit.evaluation.stress.protocols import folds_of_images, folds_of_patients

NULL = Design(patients=100, prevalence=0.3, features=100, informative=2, oracle_auc=0.5)


@pytest.fixture(scope="module")
def null_runs():
    return stress(NULL, repetitions=12, seed=0)


def test_every_step_is_run_in_both_forms_on_the_same_tables(null_runs):
    assert len(null_runs) == 12 * len(PROTOCOLS) * 2
    assert (null_runs.groupby(["step", "form"]).repetition.nunique() == 12).all()
    assert null_runs.reported.between(-1, 1).all()


def test_where_there_is_nothing_to_find_the_truth_is_nothing(null_runs):
    of_auc = null_runs[null_runs.measure == "auc"]
    counted = of_auc.step.str.startswith("attention")  # on fresh patients, for want of a formula
    assert np.allclose(of_auc.true[~counted], 0.5)
    assert np.allclose(of_auc.true[counted], 0.5, atol=0.02)
    assert np.allclose(null_runs.true[null_runs.measure == "youden"], 0.0)


def test_honest_forms_report_the_truth_and_leaks_more(null_runs):
    table = summarize(null_runs).set_index(["step", "form"])
    honest = table.xs("honest", level="form")
    assert (honest.optimism.abs() < 4 * honest.optimism_se + 0.02).all()
    leaky = table.xs("leaky", level="form").optimism
    for step in ("selection of features", "SMOTE", "unit of the folds"):
        assert leaky[step] > 0.08, step
    for step in ("choice of the model", "choice of the threshold"):
        assert leaky[step] > honest.optimism[step] + 0.03, step
    # scaling and company know no labels, and hardly matter
    for step in ("scaling", "attention"):
        assert abs(leaky[step] - honest.optimism[step]) < 0.03, step


def test_with_a_signal_something_true_is_learned():
    design = Design(patients=200, prevalence=0.4, features=100, informative=2, oracle_auc=0.9)
    runs = stress(design, repetitions=4, seed=1, steps=("selection of features",))
    assert runs.true.mean() > 0.7
    assert runs.true.max() < 0.9


def test_one_image_a_patient_leaves_nothing_to_leak_between_images():
    design = Design(patients=80, prevalence=0.3, features=50, informative=1, images_per_patient=1)
    table = draw_table(design, np.random.default_rng(0))
    one, other = folds_of_patients(table, design, 0), folds_of_images(table, design, 0)
    assert one.reported == pytest.approx(other.reported)


def test_processes_change_nothing_and_the_seed_decides():
    arguments = {"repetitions": 2, "steps": ("scaling",)}
    first = stress(NULL, seed=3, **arguments)
    pd.testing.assert_frame_equal(first, stress(NULL, seed=3, n_jobs=2, **arguments))
    assert not first.reported.equals(stress(NULL, seed=4, **arguments).reported)


def test_a_score_is_in_the_units_of_the_features():
    table = draw_table(NULL, np.random.default_rng(0))
    score = fit_score(table)
    assert (score.weights != 0).sum() == 20
    shifted = score.of(table.features + 5.0) - score.of(table.features)
    assert shifted == pytest.approx(5 * score.weights.sum())


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="repetitions is 0"):
        stress(NULL, repetitions=0, seed=0)
    with pytest.raises(InputError, match="Did you mean 'scaling'"):
        stress(NULL, repetitions=1, seed=0, steps=("scalling",))


def test_the_command_shows_a_table_and_writes_every_repetition(tmp_path):
    words = ["stress", "scaling", "--repetitions", "2", "--patients", "60", "--n-jobs", "1"]
    path = tmp_path / "runs.csv"
    done = CliRunner().invoke(build_app(words), [*words, "--csv", str(path)])
    assert done.exit_code == 0, done.output
    assert re.search(r"scaling\s+honest", done.output)
    assert "9 positive; the best possible AUC is 0.5" in done.output
    assert len(pd.read_csv(path)) == 4
