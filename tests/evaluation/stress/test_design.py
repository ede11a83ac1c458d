import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.evaluation import auc
from lnm_kit.evaluation.stress import Design, LinearScore, draw_table
from lnm_kit.evaluation.stress.design import BLOCK
from lnm_kit.evaluation.stress.fitting import by_patient

LARGE = Design(patients=20_000, prevalence=0.4, features=60, informative=3, oracle_auc=0.85)


@pytest.fixture(scope="module")
def table():
    return draw_table(LARGE, np.random.default_rng(1))


def test_a_table_has_what_the_design_says(table):
    label, mean = by_patient(table, table.features[:, 7])
    assert label.sum() == LARGE.positive == 8000
    assert len(mean) == 20_000
    first, second = table.features[::2, 7], table.features[1::2, 7]
    # two images share the patient: variance 1 of 1 + 0.5^2
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(1 / 1.25, abs=0.01)
    of_negative = table.features[table.label == 0]
    within = np.corrcoef(of_negative[:, 3], of_negative[:, 4])[0, 1]
    assert within == pytest.approx(0.6 / 1.25, abs=0.01)
    assert abs(np.corrcoef(of_negative[:, 3], of_negative[:, 13])[0, 1]) < 0.02


def test_the_exact_auc_is_that_of_a_very_large_sample(table):
    rng = np.random.default_rng(2)
    for weights in (rng.normal(size=60), np.eye(60)[0], np.eye(60)[10] - np.eye(60)[11]):
        score = LinearScore(weights, 0.3)
        found = auc(*by_patient(table, score.of(table.features)))
        assert found.value == pytest.approx(score.true_auc(LARGE), abs=0.01)


def test_the_oracle_is_the_best_linear_score():
    blocks = LARGE.features // BLOCK
    inverse = np.linalg.inv(LARGE.block_covariance())
    best = LinearScore(np.kron(np.eye(blocks), inverse) @ LARGE.shift(), 0.0)
    assert best.true_auc(LARGE) == pytest.approx(0.85)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = LinearScore(best.weights + 0.3 * rng.normal(size=60), 0.0)
        assert other.true_auc(LARGE) < best.true_auc(LARGE)


def test_youdens_index_is_that_of_a_very_large_sample(table):
    score = LinearScore(LARGE.shift(), -1.0)
    label, value = by_patient(table, score.of(table.features))
    for threshold in (-1.0, 0.0, 1.0):
        called = value >= threshold
        found = called[label == 1].mean() - called[label == 0].mean()
        assert found == pytest.approx(score.true_youden(LARGE, threshold), abs=0.015)


@given(
    oracle=st.floats(0.5, 0.95),
    correlation=st.floats(0, 0.9),
    images=st.integers(1, 3),
)
@settings(max_examples=25, deadline=None)
def test_no_score_beats_the_oracle(oracle, correlation, images):
    design = Design(
        features=40,
        informative=2,
        oracle_auc=oracle,
        correlation=correlation,
        images_per_patient=images,
    )
    weights = np.random.default_rng(0).normal(size=40)
    assert LinearScore(weights, 0.0).true_auc(design) <= oracle + 1e-9
    if oracle == 0.5:
        assert not design.shift().any()


def test_wrong_settings_are_listed_together():
    with pytest.raises(
        InputError, match=r"features is 45; allowed: multiples of 10\. .*oracle_auc"
    ):
        Design(features=45, oracle_auc=0.3)
    with pytest.raises(InputError, match="informative is 9; allowed: 1 to 4"):
        Design(features=40, informative=9)
