import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from lnm_kit.errors import InputError
from lnm_kit.simulate.differences import calibrate_differences, implied, published_differences
from lnm_kit.simulate.model import population_model


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        # positives and negatives with and without, per split, copied from the paper
        ("sex=male", [[[14, 21], [69, 246]], [[6, 16], [32, 96]], [[22, 41], [69, 222]]]),
        ("multifocal=1", [[[18, 17], [115, 200]], [[7, 15], [78, 50]], [[18, 45], [64, 227]]]),
        ("capsular_invasion=1", [[[30, 5], [52, 263]], [[18, 4], [44, 84]], [[54, 9], [150, 141]]]),
    ],
)
def test_odds_ratios_are_those_of_statsmodels(name, tables):
    found = published_differences(population_model("lvlnm"))[name]
    stratified = StratifiedTable([np.array(table) for table in tables])
    assert found == pytest.approx(np.log(stratified.oddsratio_pooled))


def test_mean_differences_are_weighted_by_what_they_tell():
    n0, n1 = np.array([315, 128, 291]), np.array([35, 22, 63])
    weight = n0 * n1 / (n0 + n1)
    expected = np.average([1.263 - 0.736, 1.235 - 0.938, 1.343 - 0.896], weights=weight)
    found = published_differences(population_model("lvlnm"))["tumor_size_cm"]
    assert found == pytest.approx(expected)


def test_a_table_without_labels_has_no_differences():
    with pytest.raises(InputError, match="does not print the labels apart"):
        published_differences(population_model("clnm"))


def test_the_stored_constants_of_lvlnm_imply_the_printed_differences():
    model = population_model("lvlnm")
    found = implied(model, n=40_000, seed=77)
    expected = published_differences(model)
    for name, near in {
        "sex=male": 0.06,
        "age_years": 0.3,
        "tumor_size_cm": 0.02,
        "multifocal=1": 0.06,
        "capsular_invasion=1": 0.06,
    }.items():
        assert found.differences[name] == pytest.approx(expected[name], abs=near), name
    assert found.auc_oracle["training"] == pytest.approx(0.90, abs=0.005)
    assert found.auc_oracle["test"] == pytest.approx(0.89, abs=0.005)
    assert found.auc_aggressiveness["training"] == pytest.approx(0.84, abs=0.005)


def test_the_calibration_finds_the_stored_constants():
    model = population_model("lvlnm")
    found = calibrate_differences(model, auc_oracle=0.90, n=8_000, seed=5)
    assert found.aggressiveness == pytest.approx(model.outcome.aggressiveness, abs=0.15)
    for name, near in {"sex=male": 0.2, "tumor_size_cm": 0.2, "capsular_invasion=1": 0.2}.items():
        assert found.direct[name] == pytest.approx(model.outcome.direct[name], abs=near), name
