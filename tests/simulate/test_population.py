import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lnm_kit.errors import InputError
from lnm_kit.published import published_counts, published_mean_sd, published_splits
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.population import simulate_population, split_plan

SPLITS = ["training", "validation", "test_a", "test_b"]
CENTERS = {
    "training": "center_1",
    "validation": "center_1",
    "test_a": "center_2",
    "test_b": "center_3",
}


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, pd.DataFrame]:
    return simulate_population("llnm", seed=11, signal=1.0)


def test_splits_have_the_published_patients_and_positives(simulated):
    cases, _ = simulated
    found = cases.groupby("split", sort=False)["label"].agg(n="size", positive="sum")
    expected = published_splits("llnm")[["n", "positive"]]
    assert found.to_dict() == expected.to_dict()
    assert len(cases) == 1566
    assert cases["label"].sum() == 151


def test_each_split_belongs_to_one_center(simulated):
    cases, _ = simulated
    assert cases.groupby("split")["center"].unique().map(list).to_dict() == {
        split: [center] for split, center in CENTERS.items()
    }


def test_every_case_is_another_patient_and_says_that_it_is_simulated(simulated):
    cases, truth = simulated
    assert cases.index.is_unique
    assert cases["patient_id"].is_unique
    assert cases.index.str.startswith("sim-").all()
    assert cases["patient_id"].str.startswith("sim-").all()
    assert truth.index.equals(cases.index)
    assert not cases.isna().any(axis=None)
    assert not truth.isna().any(axis=None)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("variable", [v for v in population_model("llnm").variables if v.levels])
def test_every_level_has_its_published_count(simulated, variable, split):
    cases, _ = simulated
    values = cases.loc[cases["split"] == split, variable.column]
    found = variable.level_of(values).value_counts().reindex(variable.levels, fill_value=0)
    assert found.to_dict() == published_counts("llnm", variable.column, split)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("column", "tolerance"),
    [
        ("age_years", 0.1),
        ("tumor_size_cm", 0.01),
        ("tpo_ab_iu_ml", 0.1),
        ("tg_ng_ml", 0.1),
        ("tg_ab_iu_ml", 0.5),
    ],
)
def test_means_and_sds_are_the_published_ones(simulated, column, tolerance, split):
    cases, _ = simulated
    values = cases.loc[cases["split"] == split, column]
    printed = published_mean_sd("llnm", column, split)
    assert values.mean() == pytest.approx(printed.mean.value, abs=tolerance)
    assert values.std() == pytest.approx(printed.sd.value, abs=2 * tolerance)


def test_patients_are_adults_and_antibodies_are_skewed(simulated):
    cases, _ = simulated
    assert cases["age_years"].between(18, 100).all()
    for column in ("tpo_ab_iu_ml", "tg_ng_ml", "tg_ab_iu_ml"):
        assert (cases[column] > 0).all()
        assert cases[column].median() < 0.6 * cases[column].mean()


def test_clinical_values_go_along_with_the_aggressiveness():
    drawn = [simulate_population("llnm", seed=seed, signal=0.0) for seed in range(3)]
    cases = pd.concat([part[0] for part in drawn])
    z = pd.concat([part[1] for part in drawn])["aggressiveness"]
    larger, younger = (
        z.corr(sign * cases[column], method="spearman")
        for column, sign in (("tumor_size_cm", 1), ("age_years", -1))
    )
    assert larger == pytest.approx(0.35, abs=0.06)
    assert younger == pytest.approx(0.10, abs=0.06)
    for column, aggressive in {
        "echogenic_foci": "micro",
        "margin": "ete",
        "n_foci": 3,
        "taller_than_wide": 1,
        "sex": "male",
    }.items():
        has_it = cases[column] == aggressive
        assert z[has_it].mean() > z[~has_it].mean() + 0.05, column


def test_one_seed_is_one_cohort():
    first, second = (simulate_population("llnm", seed=5, signal=1.0, size=0.2) for _ in range(2))
    other = simulate_population("llnm", seed=6, signal=1.0, size=0.2)
    pd.testing.assert_frame_equal(first[0], second[0])
    pd.testing.assert_frame_equal(first[1], second[1])
    assert not first[1]["aggressiveness"].equals(other[1]["aggressiveness"])
    assert not first[0]["label"].equals(other[0]["label"])


def test_the_signal_changes_labels_only():
    strong, null = (
        simulate_population("llnm", seed=5, signal=signal, size=0.2) for signal in (1.0, 0.0)
    )
    pd.testing.assert_frame_equal(strong[0].drop(columns="label"), null[0].drop(columns="label"))
    assert strong[1]["aggressiveness"].equals(null[1]["aggressiveness"])
    assert not strong[0]["label"].equals(null[0]["label"])


def test_probabilities_add_up_to_the_positives(simulated):
    cases, truth = simulated
    expected = truth.groupby(cases["split"], sort=False)["probability"].sum()
    assert expected.to_numpy() == pytest.approx([81, 18, 35, 17], abs=1e-6)
    assert truth["probability"].between(0, 1).all()


def test_probabilities_are_calibrated_over_cohorts():
    drawn = [simulate_population("llnm", seed=seed, signal=1.0) for seed in range(5)]
    label = pd.concat([part[0] for part in drawn])["label"].to_numpy()
    probability = pd.concat([part[1] for part in drawn])["probability"].to_numpy()
    for lo, hi in ((0, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1)):
        chosen = (probability >= lo) & (probability < hi)
        expected = probability[chosen].mean()
        spread = np.sqrt((probability[chosen] * (1 - probability[chosen])).sum()) / chosen.sum()
        assert label[chosen].mean() == pytest.approx(expected, abs=4 * spread)


def test_without_signal_everybody_has_the_same_probability():
    cases, truth = simulate_population("llnm", seed=2, signal=0.0)
    for split, plan in published_splits("llnm").iterrows():
        of_split = truth.loc[cases["split"] == split, "probability"]
        assert of_split.nunique() == 1
        assert of_split.iloc[0] == pytest.approx(plan["positive"] / plan["n"])


def test_without_signal_the_labels_know_nothing_of_the_aggressiveness():
    aucs = []
    for seed in range(16):
        cases, truth = simulate_population("llnm", seed=seed, signal=0.0, size=0.12)
        training = cases["split"] == "training"
        aucs.append(
            roc_auc_score(cases.loc[training, "label"], truth.loc[training, "aggressiveness"])
        )
    # under the null the AUC of k positives and m negatives has variance (k + m + 1) / (12 k m)
    plan = split_plan("llnm", 0.12).loc["training"]
    negative = plan["n"] - plan["positive"]
    spread = np.sqrt((plan["n"] + 1) / (12 * plan["positive"] * negative))
    assert np.mean(aucs) == pytest.approx(0.5, abs=3.5 * spread / np.sqrt(16))
    assert np.std(aucs) == pytest.approx(spread, rel=0.5)


@pytest.mark.parametrize("size", [0.01, 0.12, 0.5])
def test_small_cohorts_keep_enough_positives(size):
    plan = split_plan("llnm", size)
    assert list(plan.index) == SPLITS
    assert plan.loc["training", "positive"] >= 20
    assert (plan["positive"] >= 10).all()
    assert (plan["n"] >= 3 * 10).all()
    assert (plan["n"] <= published_splits("llnm")["n"]).all()
    cases, _ = simulate_population("llnm", seed=0, signal=1.0, size=size)
    found = cases.groupby("split", sort=False)["label"].agg(n="size", positive="sum")
    assert found.to_dict() == plan.to_dict()


def test_larger_cohorts_scale():
    plan = split_plan("llnm", 3)
    assert plan.loc["training"].to_dict() == {"n": 3 * 878, "positive": 3 * 81}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"study": "llnn"}, "Did you mean 'llnm'"),
        ({"seed": -1}, "seed is -1"),
        ({"signal": -0.1}, "signal is -0.1"),
        ({"signal": float("nan")}, "signal is nan"),
        ({"size": 0.0}, "size is 0.0"),
        ({"size": 11.0}, "size is 11.0"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    arguments = {"study": "llnm", "seed": 1, "signal": 1.0, "size": 1.0} | wrong
    with pytest.raises(InputError, match=message):
        simulate_population(**arguments)


def test_all_wrong_arguments_are_named_together():
    with pytest.raises(InputError, match=r"seed is -1.*signal is 5.*size is 0"):
        simulate_population("llnm", seed=-1, signal=5, size=0)
