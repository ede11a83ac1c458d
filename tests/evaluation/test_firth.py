import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chi2

from lnm_kit.errors import InputError
from lnm_kit.evaluation.firth import odds_ratios_firth
from lnm_kit.evaluation.regression import odds_ratios


def two_by_two(a: int, b: int, c: int, d: int) -> pd.DataFrame:
    """`a` events and `b` others with the trait, `c` and `d` without."""
    trait = np.repeat(["yes", "no"], [a + b, c + d])
    return pd.DataFrame({"label": np.repeat([1, 0, 1, 0], [a, b, c, d]), "clt": trait})


def drawn(seed: int, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age_years": rng.normal(45, 12, n),
            "margin": rng.choice(["smooth", "irregular", "ete"], n, p=[0.6, 0.3, 0.1]),
        }
    )
    linear = 0.05 * (frame["age_years"] - 45) + 1.0 * (frame["margin"] == "irregular") - 0.8
    frame["label"] = (rng.random(n) < expit(linear)).astype(int)
    frame.loc[frame["margin"] == "ete", "label"] = 1  # no finite ordinary estimate
    return frame


def penalized(beta: np.ndarray, design: np.ndarray, label: np.ndarray) -> float:
    """Minus the penalized log-likelihood, by the determinant of the definition."""
    chance = expit(design @ beta)
    information = sum(
        p * (1 - p) * np.outer(row, row) for p, row in zip(chance, design, strict=True)
    )
    likelihood = np.sum(np.log(np.where(label == 1, chance, 1 - chance)))
    return -float(likelihood + 0.5 * math.log(np.linalg.det(information)))


def design_of(frame: pd.DataFrame) -> np.ndarray:
    ones = np.ones(len(frame))
    dummies = [(frame["margin"] == level).astype(float) for level in ("ete", "irregular")]
    return np.column_stack([ones, (frame["age_years"] - 45) / 10, *dummies])


@pytest.mark.parametrize("cells", [(12, 28, 5, 35), (0, 20, 8, 12), (9, 0, 3, 17), (1, 1, 1, 1)])
def test_one_binary_column_is_the_cross_product_with_a_half_added_to_every_cell(cells):
    # Firth's penalty of a saturated 2 x 2 model is Haldane's correction.
    a, b, c, d = (count + 0.5 for count in cells)
    found = odds_ratios_firth(two_by_two(*cells), "label", ["clt"], {"clt": "no"}).iloc[1]
    assert found["beta"] == pytest.approx(math.log(a * d / b / c), abs=1e-7)
    assert found["odds_ratio"] == pytest.approx(a * d / b / c, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_coefficients_maximize_the_penalized_likelihood(seed):
    frame = drawn(seed)
    best = minimize(
        penalized,
        np.zeros(4),
        (design_of(frame), frame["label"].to_numpy()),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000, "maxfev": 8000},
    )
    found = odds_ratios_firth(frame, "label", ["age_years", "margin"], {"margin": "smooth"})
    found = found[found["note"] == "Firth"].set_index("level")
    assert 10 * found.loc["per unit", "beta"] == pytest.approx(best.x[1], abs=1e-5)
    assert found.loc["ete", "beta"] == pytest.approx(best.x[2], abs=1e-5)
    assert found.loc["irregular", "beta"] == pytest.approx(best.x[3], abs=1e-5)


def test_at_the_ends_of_the_interval_the_profile_has_fallen_by_half_a_chi_squared():
    frame = drawn(1)
    design, label = design_of(frame), frame["label"].to_numpy()
    found = odds_ratios_firth(frame, "label", ["age_years", "margin"], {"margin": "smooth"})
    row = found.set_index("level").loc["ete"]

    def lowest(fixed: float | None) -> float:
        """Minus the highest penalized likelihood, the coefficient of `ete` held."""

        def loss(free: np.ndarray) -> float:
            return penalized(
                np.insert(free, 2, fixed) if fixed is not None else free, design, label
            )

        options = {"xatol": 1e-7, "fatol": 1e-11, "maxiter": 4000, "maxfev": 8000}
        size = 4 if fixed is None else 3
        return float(minimize(loss, np.zeros(size), method="Nelder-Mead", options=options).fun)

    top = lowest(None)
    for end in (row["lo"], row["hi"]):
        assert 2 * (lowest(math.log(end)) - top) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-4)
    assert row["p_value"] == pytest.approx(chi2.sf(2 * (lowest(0.0) - top), 1), abs=1e-5)


def test_without_separation_and_with_many_cases_it_is_the_ordinary_fit():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age_years": rng.normal(45, 12, 8000), "sex": rng.choice([0, 1], 8000)})
    frame["label"] = rng.random(8000) < expit(0.03 * (frame["age_years"] - 45) + frame["sex"] - 1)
    frame["label"] = frame["label"].astype(int)
    plain = odds_ratios(frame, "label", ["age_years", "sex"], {"sex": 0})
    firth = odds_ratios_firth(frame, "label", ["age_years", "sex"], {"sex": 0})
    for column in ("odds_ratio", "lo", "hi"):
        assert firth[column].to_numpy() == pytest.approx(
            plain[column].to_numpy(), rel=0.01, nan_ok=True
        )
    counted = ["variable", "level", "n", "events"]
    assert firth[counted].equals(plain[counted])
    assert list(firth.columns) == list(plain.columns)


def test_it_is_finite_where_the_ordinary_fit_names_the_column():
    frame = drawn(2).assign(tg_ng_ml=lambda f: f["label"] * 10 + np.arange(60) / 60)
    with pytest.raises(InputError, match="odds_ratios_firth"):
        odds_ratios(frame, "label", ["tg_ng_ml"], {})
    found = odds_ratios_firth(frame, "label", ["tg_ng_ml"], {}).iloc[0]
    assert np.isfinite(found[["beta", "lo", "hi", "p_value"]].to_numpy(float)).all()
    assert 1 < found["lo"] < found["odds_ratio"] < found["hi"]
    assert found["p_value"] < 1e-6


def test_its_estimates_are_less_biased_than_those_of_the_ordinary_fit():
    plain, firth = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"size_cm": rng.normal(size=40)})
        frame["label"] = (rng.random(40) < expit(1.2 * frame["size_cm"])).astype(int)
        plain.append(odds_ratios(frame, "label", ["size_cm"], {})["beta"].item())
        firth.append(odds_ratios_firth(frame, "label", ["size_cm"], {})["beta"].item())
    assert abs(np.mean(firth) - 1.2) < abs(np.mean(plain) - 1.2)
    assert np.mean(np.array(firth) < np.array(plain)) == 1


@pytest.mark.parametrize(
    ("change", "columns", "message"),
    [
        ({"age_years": 3.0}, ["age_years"], "age_years holds only"),
        ({"label": 1}, ["age_years"], "label holds only"),
        ({}, ["bmi"], "no column"),
        ({"twice": lambda f: 2 * f["age_years"]}, ["age_years", "twice"], "determined"),
    ],
)
def test_bad_input_is_named(change, columns, message):
    with pytest.raises(InputError, match=message):
        odds_ratios_firth(drawn(0).assign(**change), "label", columns, {})
