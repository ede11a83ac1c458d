import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import cohen_kappa_score

from lnm_kit.errors import InputError
from lnm_kit.published import published_table
from lnm_kit.simulate.readers import (
    GROUPS,
    reader_operating_points,
    reader_parameters,
    simulate_readers,
)

# Printed: Table 4 and section 3.7, copied by hand.
PRINTED = {
    ("junior", "before"): (0.546, 0.714, 0.4027),
    ("junior", "after"): (0.727, 0.782, 0.5977),
    ("medium", "before"): (0.636, 0.760, 0.5000),
    ("medium", "after"): (0.818, 0.836, 0.5977),
    ("senior", "before"): (0.727, 0.809, 0.7227),
    ("senior", "after"): (0.909, 0.890, 0.8451),
}


def simulated_cases(n, positive, seed=0, separation=2.0):
    """Labels, true probabilities and a model's score, all of one latent log odds."""
    rng = np.random.default_rng(seed)
    label = np.repeat([0, 1], [n - positive, positive])
    log_odds = 1.5 * label + rng.normal(size=n) - 2
    cases = pd.DataFrame({"label": label}, index=[f"case-{i}" for i in range(n)])
    score = separation * label + 0.5 * (log_odds - 1.5 * label) + rng.normal(size=n)
    return cases, expit(log_odds), score


@pytest.fixture(scope="module")
def many():
    cases, probability, score = simulated_cases(20_000, 4_000)
    return cases, simulate_readers(cases, probability, score, n_readers=2, seed=5)


@pytest.fixture(scope="module")
def test_b():
    cases, probability, score = simulated_cases(120, 17)
    return cases, simulate_readers(cases, probability, score, n_readers=40, seed=5)


def rates(cases, readings):
    """Sensitivity, specificity and share of high confidence, by group and moment."""
    label = cases["label"].reindex(readings["case_id"]).to_numpy()
    called = readings.assign(
        sensitivity=readings["decision"].where(label == 1),
        specificity=(1 - readings["decision"]).where(label == 0),
        high=readings["confidence"] >= 4,
    )
    return called.groupby(["group", "moment"])[["sensitivity", "specificity", "high"]].mean()


def test_the_published_numbers_are_read_as_printed():
    read = reader_operating_points()
    assert {key: tuple(read.loc[key]) for key in PRINTED} == PRINTED


def test_the_printed_accuracies_contradict_sensitivity_and_specificity():
    # why accuracies are not used: at any prevalence accuracy lies between the two rates
    read, accuracy = reader_operating_points(), published_table("llnm", "readers")
    implied = (17 * read["sensitivity"] + 103 * read["specificity"]) / 120
    for moment in ("before", "after"):
        printed = accuracy.set_index("level")[f"accuracy_{moment}"].str.rstrip("%").astype(float)
        assert (implied.xs(moment, level="moment") - printed / 100 > 0.1).all()


def test_over_many_cases_the_printed_numbers_come_out(many):
    found = rates(*many)
    for key, expected in PRINTED.items():
        for value, wanted, n in zip(found.loc[key], expected, (8e3, 32e3, 40e3), strict=True):
            assert abs(value - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / n)


def test_on_test_b_the_expectation_is_the_printed_number_too(test_b):
    found = rates(*test_b)
    for key, expected in PRINTED.items():
        sizes = (40 * 17, 40 * 103, 40 * 120)
        for value, wanted, n in zip(found.loc[key], expected, sizes, strict=True):
            assert abs(value - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / n)


def test_one_reader_of_test_b_is_within_sampling_error(test_b):
    cases, readings = test_b
    one = readings[readings["reader"].str.endswith(" 7")]
    for key, expected in PRINTED.items():
        for value, wanted, n in zip(
            rates(cases, one).loc[key], expected, (17, 103, 120), strict=True
        ):
            assert abs(value - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / n)


def test_confidences_are_all_used_and_sure_readings_are_more_often_right(many):
    cases, readings = many
    right = (
        readings["decision"].to_numpy() == cases["label"].reindex(readings["case_id"]).to_numpy()
    )
    for _, part in readings.assign(right=right).groupby(["group", "moment"]):
        by_confidence = part.groupby("confidence")["right"].mean()
        assert by_confidence.index.tolist() == [1, 2, 3, 4, 5]
        assert by_confidence.is_monotonic_increasing
    share = readings.groupby(["group", "moment"])["confidence"].value_counts(normalize=True)
    low = [share["junior", "before", level] for level in (1, 2, 3)]
    np.testing.assert_allclose(np.array(low) / sum(low), [0.2, 0.35, 0.45], atol=0.01)
    high = [share["senior", "after", level] for level in (4, 5)]
    np.testing.assert_allclose(np.array(high) / sum(high), [0.6, 0.4], atol=0.01)


def wide(readings, moment):
    chosen = readings[readings["moment"] == moment]
    return chosen.pivot_table(index="case_id", columns="reader", values="decision")


def test_a_reader_agrees_with_himself_before_and_after_beyond_chance(many):
    _, readings = many
    before, after = wide(readings, "before"), wide(readings, "after")
    for reader in before:
        kappa = cohen_kappa_score(before[reader], after[reader])
        others = before.drop(columns=reader)
        across = [cohen_kappa_score(others[name], after[reader]) for name in others]
        assert kappa > 0.3
        assert kappa > max(across)


@pytest.mark.parametrize("label", [0, 1])
def test_a_case_that_is_hard_is_hard_for_every_reader(many, label):
    cases, readings = many
    before = wide(readings, "before").loc[cases.index[cases["label"] == label]]
    between = before.corr().to_numpy()[np.triu_indices(6, 1)]
    # tetrachoric correlation 0.5: at a median split phi would be 2/pi asin(0.5) = 1/3
    assert between.min() > 0.2
    assert between.max() < 0.4


def test_positive_cases_with_a_low_probability_are_missed_more_often():
    cases, probability, score = simulated_cases(4_000, 800)
    readings = simulate_readers(cases, probability, score, n_readers=3, seed=0)
    called = wide(readings, "before").mean(axis=1).reindex(cases.index)
    for label in (0, 1):
        members = (cases["label"] == label).to_numpy()
        high = probability[members] > np.median(probability[members])
        assert called[members][high].mean() > called[members][~high].mean() + 0.2


def test_only_ranks_of_the_models_score_count():
    cases, probability, score = simulated_cases(120, 17)
    first = simulate_readers(cases, probability, score, n_readers=2, seed=1)
    second = simulate_readers(cases, probability, expit(3 * score), n_readers=2, seed=1)
    pd.testing.assert_frame_equal(first, second)


def test_same_seed_same_readers_and_more_readers_leave_the_first_alone():
    cases, probability, score = simulated_cases(120, 17)
    first = simulate_readers(cases, probability, score, n_readers=2, seed=1)
    pd.testing.assert_frame_equal(
        first, simulate_readers(cases, probability, score, n_readers=2, seed=1)
    )
    more = simulate_readers(cases, probability, score, n_readers=3, seed=1)
    kept = more[more["reader"].isin(first["reader"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, kept)
    other = simulate_readers(cases, probability, score, n_readers=2, seed=2)
    assert (other["decision"] != first["decision"]).any()


def test_every_reader_says_that_it_is_simulated(test_b):
    cases, readings = test_b
    assert readings.columns.tolist() == [
        "case_id", "group", "reader", "moment", "decision", "confidence"
    ]  # fmt: skip
    assert readings["reader"].str.startswith("simulated ").all()
    assert len(readings) == 3 * 40 * 2 * len(cases)
    assert set(readings["group"]) == set(GROUPS)


def test_a_better_model_needs_less_weight_and_no_second_look():
    weights = []
    for separation in (3.5, 5.0):
        cases, probability, score = simulated_cases(2_000, 400, separation=separation)
        parameters = reader_parameters(cases, probability, score, seed=0)
        assert (parameters["second_look"] == 0).all()
        weights.append(parameters["weight"].xs("after", level="moment"))
    assert (weights[1] < weights[0]).all()


@pytest.mark.parametrize("kind", ["constant", "noise"])
def test_a_model_that_knows_nothing_leaves_the_printed_gain_to_a_second_look(kind):
    cases, probability, _ = simulated_cases(2_000, 400)
    noise = np.random.default_rng(9).normal(size=2_000)
    score = np.zeros(2_000) if kind == "constant" else noise
    probability = np.full_like(probability, 0.2)
    after = reader_parameters(cases, probability, score, seed=0).xs("after", level="moment")
    assert (after["second_look"] > 0.2).all()
    assert (after["weight"] < 0.1).all()
    found = rates(cases, simulate_readers(cases, probability, score, n_readers=4, seed=0))
    assert abs(found.loc[("senior", "after"), "sensitivity"] - 0.909) < 0.03


def test_bad_input_is_named():
    cases, probability, score = simulated_cases(20, 5)
    with pytest.raises(InputError, match=r"model_score has shape \(19,\); needed: \(20,\)"):
        simulate_readers(cases, probability, score[:-1], n_readers=1, seed=0)
    with pytest.raises(InputError, match="another index than cases"):
        simulate_readers(cases, probability, pd.Series(score), n_readers=1, seed=0)
    with pytest.raises(InputError, match="it needs `label`"):
        simulate_readers(cases[[]], probability, score, n_readers=1, seed=0)
    bad = score.copy()
    bad[3] = np.nan
    repeated = cases.assign(label=1).set_axis(["x"] * 20)
    with pytest.raises(InputError) as caught:
        simulate_readers(repeated, probability * 9, bad, n_readers=0, seed=-1)
    for part in ("case ids repeat", "needed: 0 and 1", "allowed: 0 to 1", "not finite at 1",
                 "n_readers is 0", "seed is -1"):  # fmt: skip
        assert part in str(caught.value)
