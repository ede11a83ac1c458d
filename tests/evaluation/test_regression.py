import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import brentq
from scipy.special import expit
from statsmodels.stats.outliers_influence import variance_inflation_factor

from lnm_kit.errors import InputError
from lnm_kit.evaluation.regression import odds_ratios, variance_inflation
from lnm_kit.simulate import simulate_population

BETA = {"age_years": -0.03, "middle": -0.75, "lower": -1.05, "male": 0.6}
INTERCEPT = 0.8


def drawn(seed: int, n: int = 600) -> pd.DataFrame:
    """Patients whose log-odds follow `BETA` exactly."""
    rng = np.random.default_rng(seed)
    cases = pd.DataFrame(
        {
            "age_years": rng.normal(43, 12, n),
            "location": rng.choice(["upper", "middle", "lower"], n, p=[0.3, 0.5, 0.2]),
            "sex": rng.choice(["female", "male"], n, p=[0.7, 0.3]),
        }
    )
    log_odds = (
        INTERCEPT
        + BETA["age_years"] * cases["age_years"]
        + BETA["middle"] * (cases["location"] == "middle")
        + BETA["lower"] * (cases["location"] == "lower")
        + BETA["male"] * (cases["sex"] == "male")
    )
    cases["label"] = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return cases


COLUMNS = ["age_years", "location", "sex"]
REFERENCES = {"location": "upper", "sex": "female"}


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_that_of_statsmodels_own_formula_fit(seed):
    cases = drawn(seed)
    formula = "label ~ age_years + C(location, Treatment('upper')) + C(sex, Treatment('female'))"
    fit = sm.Logit.from_formula(formula, cases).fit(disp=0)
    interval = fit.conf_int()
    found = odds_ratios(cases, "label", COLUMNS, REFERENCES)
    found = found[found["note"] == ""].set_index("level")
    names = {
        "per unit": "age_years",
        "lower": "C(location, Treatment('upper'))[T.lower]",
        "middle": "C(location, Treatment('upper'))[T.middle]",
        "male": "C(sex, Treatment('female'))[T.male]",
    }
    for level, name in names.items():
        row = found.loc[level]
        assert row["beta"] == pytest.approx(fit.params[name], rel=1e-6)
        assert row["odds_ratio"] == pytest.approx(math.exp(fit.params[name]), rel=1e-6)
        ends = np.exp(interval.loc[name].to_numpy())
        assert [row["lo"], row["hi"]] == pytest.approx(ends.tolist(), rel=1e-5)
        assert row["p_value"] == pytest.approx(fit.pvalues[name], rel=1e-4)


def two_by_two(a: int, b: int, c: int, d: int) -> pd.DataFrame:
    """a events and b others exposed, c events and d others not."""
    return pd.DataFrame(
        {
            "label": [1] * a + [0] * b + [1] * c + [0] * d,
            "clt": ["yes"] * (a + b) + ["no"] * (c + d),
        }
    )


@pytest.mark.parametrize("cells", [(12, 28, 5, 35), (1, 9, 30, 60), (40, 3, 20, 17)])
def test_one_binary_column_gives_the_cross_product_and_woolfs_interval(cells):
    a, b, c, d = cells
    found = odds_ratios(two_by_two(*cells), "label", ["clt"], {"clt": "no"}).iloc[1]
    ratio = a * d / (b * c)
    error = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    ends = [math.exp(math.log(ratio) + side * 1.959964 * error) for side in (-1, 1)]
    assert found["odds_ratio"] == pytest.approx(ratio, rel=1e-6)
    assert [found["lo"], found["hi"]] == pytest.approx(ends, rel=1e-5)
    assert found["p_value"] == pytest.approx(
        math.erfc(abs(math.log(ratio)) / error / math.sqrt(2)), rel=1e-5
    )
    assert (found["n"], found["events"]) == (a + b, a)


def test_the_other_reference_gives_the_reciprocal():
    cases = two_by_two(12, 28, 5, 35)
    one = odds_ratios(cases, "label", ["clt"], {"clt": "no"}).iloc[1]
    other = odds_ratios(cases, "label", ["clt"], {"clt": "yes"}).iloc[1]
    assert one["odds_ratio"] * other["odds_ratio"] == pytest.approx(1)
    assert one["lo"] * other["hi"] == pytest.approx(1)


def test_known_coefficients_are_recovered_from_many_patients():
    found = odds_ratios(drawn(0, n=40_000), "label", COLUMNS, REFERENCES).set_index("level")
    for level, beta in BETA.items():
        row = found.loc["per unit" if level == "age_years" else level]
        error = (math.log(row["hi"]) - math.log(row["lo"])) / (2 * 1.959964)
        assert abs(row["beta"] - beta) < 3.5 * error
        assert error < 0.04


def test_intervals_cover_the_known_coefficient_about_as_often_as_they_say():
    covered = 0
    for seed in range(200):
        row = odds_ratios(drawn(seed, n=300), "label", COLUMNS, REFERENCES).iloc[-1]
        covered += row["lo"] <= math.exp(BETA["male"]) <= row["hi"]
    assert 0.90 <= covered / 200 <= 0.99


def test_a_change_of_unit_changes_the_coefficient_alone():
    cases = drawn(1)
    years = odds_ratios(cases, "label", COLUMNS, REFERENCES).iloc[0]
    decades = odds_ratios(
        cases.assign(age_years=cases["age_years"] / 10), "label", COLUMNS, REFERENCES
    ).iloc[0]
    assert decades["beta"] == pytest.approx(10 * years["beta"], rel=1e-6)
    assert decades["p_value"] == pytest.approx(years["p_value"], rel=1e-6)


def test_rows_follow_the_columns_with_the_reference_first():
    found = odds_ratios(drawn(0), "label", COLUMNS, REFERENCES)
    assert found["variable"].tolist() == ["age_years", *["location"] * 3, *["sex"] * 2]
    assert found["level"].tolist() == [
        "per unit",
        "upper",
        "lower",
        "middle",
        "female",
        "male",
    ]
    reference = found[found["note"] == "reference"]
    assert reference["odds_ratio"].tolist() == [1.0, 1.0]
    assert reference[["lo", "hi", "p_value"]].isna().all(axis=None)
    assert found.loc[found["variable"] == "location", "n"].sum() == 600


@pytest.mark.parametrize(
    ("outcome", "note", "ratio"), [(0, "no events", 0.0), (1, "events only", math.inf)]
)
def test_a_level_with_one_outcome_is_flagged_and_the_rest_is_the_limit(outcome, note, ratio):
    cases = drawn(2)
    isthmus = cases.head(8).assign(location="isthmus", label=outcome)
    both = pd.concat([cases, isthmus], ignore_index=True)
    found = odds_ratios(both, "label", COLUMNS, REFERENCES).set_index("level")
    flagged = found.loc["isthmus"]
    assert flagged["note"] == f"{note}; no finite estimate"
    assert (flagged["odds_ratio"], flagged["n"]) == (ratio, 8)
    assert flagged[["lo", "hi", "p_value"]].isna().all()
    # the likelihood's limit: hold the coefficient of the level at -20 or 20 and fit the others
    design = pd.DataFrame(
        {
            "const": 1.0,
            "per unit": both["age_years"],
            "lower": both["location"] == "lower",
            "middle": both["location"] == "middle",
            "male": both["sex"] == "male",
        }
    ).astype(float)
    far = (both["location"] == "isthmus") * (20.0 if outcome else -20.0)
    limit = sm.GLM(both["label"], design, sm.families.Binomial(), offset=far).fit()
    for level in ("per unit", "lower", "middle", "male"):
        assert found.loc[level, "beta"] == pytest.approx(limit.params[level], abs=1e-5)


def test_a_level_emptied_by_another_is_flagged_too():
    cases = drawn(2)
    both = cases.head(8).assign(location="isthmus", sex="other", label=0)
    found = odds_ratios(
        pd.concat([cases, both], ignore_index=True), "label", COLUMNS, REFERENCES
    ).set_index("level")
    assert found.loc[["isthmus", "other"], "odds_ratio"].tolist() == [0.0, 0.0]
    assert (found.loc[["lower", "male"], "note"] == "").all()


def test_a_reference_without_events_is_refused():
    with pytest.raises(InputError, match="reference 'no' of clt: no events"):
        odds_ratios(two_by_two(12, 28, 0, 35), "label", ["clt"], {"clt": "no"})


def test_a_separating_column_is_named():
    cases = drawn(3)
    cases["tg_ng_ml"] = cases["label"] * 10 + np.random.default_rng(0).random(len(cases))
    with pytest.raises(InputError, match=r"\['tg_ng_ml'\] alone separate the outcome"):
        odds_ratios(cases, "label", [*COLUMNS, "tg_ng_ml"], REFERENCES)


def test_quasi_separation_is_separation():
    # the value 5 occurs in both classes; below it nobody, above it everybody has the outcome
    cases = pd.DataFrame(
        {"label": [0, 0, 0, 0, 1, 1, 1, 1], "tg_ng_ml": [1.0, 2, 4, 5, 5, 7, 8, 9]}
    )
    with pytest.raises(InputError, match="tg_ng_ml"):
        odds_ratios(cases, "label", ["tg_ng_ml"], {})
    overlapping = cases.assign(tg_ng_ml=[1.0, 2, 4, 6, 5, 7, 8, 9])
    assert odds_ratios(overlapping, "label", ["tg_ng_ml"], {})["lo"].item() > 0


def test_columns_that_separate_only_together_are_both_named():
    rng = np.random.default_rng(4)
    cases = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80)})
    cases["label"] = (cases["a"] + cases["b"] > 0).astype(int)
    with pytest.raises(InputError, match=r"\['a', 'b'\] together"):
        odds_ratios(cases, "label", ["a", "b"], {})


def test_a_fit_that_stops_early_is_refused_and_names_a_column(monkeypatch):
    whole_fit = sm.Logit.fit
    monkeypatch.setattr(sm.Logit, "fit", lambda self, **_: whole_fit(self, disp=0, maxiter=1))
    with pytest.raises(InputError, match=r"did not converge.* coefficient of (age|loc)"):
        odds_ratios(drawn(0), "label", COLUMNS, REFERENCES)


@pytest.mark.parametrize("seed", range(12))
def test_heavy_tails_that_overlap_are_fitted(seed):
    rng = np.random.default_rng(seed)
    cases = pd.DataFrame({"tg_ng_ml": rng.lognormal(0, 3, 120), "z": rng.standard_t(1, 120)})
    chance = 1 / (1 + np.exp(1.5 - np.log(cases["tg_ng_ml"])))
    cases["label"] = (rng.random(120) < chance).astype(int)
    found = odds_ratios(cases, "label", ["tg_ng_ml", "z"], {})
    # at the maximum the residuals are orthogonal to the columns, whatever the intercept
    x = cases[["tg_ng_ml", "z"]].to_numpy()
    linear, label = x @ found["beta"].to_numpy(), cases["label"].to_numpy()

    def surplus(intercept: float) -> float:
        return float((expit(intercept + linear) - label).sum())

    residual = expit(brentq(surplus, -50, 50, xtol=1e-12) + linear) - label
    assert np.abs(residual @ (x / x.std(axis=0))).max() < 1e-5


def test_a_singular_step_is_refused(monkeypatch):
    def fail(self, **_):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(sm.Logit, "fit", fail)
    with pytest.raises(InputError, match="singular"):
        odds_ratios(drawn(0), "label", COLUMNS, REFERENCES)


def test_a_column_that_others_determine_is_named():
    cases = drawn(5)
    cases["age_months"] = 12 * cases["age_years"]
    with pytest.raises(InputError, match="age_months"):
        odds_ratios(cases, "label", [*COLUMNS, "age_months"], REFERENCES)


@pytest.mark.parametrize(
    ("change", "columns", "references", "message"),
    [
        ({}, ["bmi_kg_m2"], {}, "no column"),
        ({"label": 2}, ["age_years"], {}, "label holds only"),
        ({"label": [0, 1, 2] * 200}, ["age_years"], {}, "allowed: 0 and 1"),
        ({"age_years": [np.nan] * 2 + [1.0, 2.0] * 299}, ["age_years"], {}, "missing in 2 of 600"),
        ({"age_years": 3.0}, ["age_years"], {}, "holds only"),
        ({"age_years": [np.inf] + [1.0] * 599}, ["age_years"], {}, "infinite in 1"),
        ({}, ["sex"], {}, "no number and has no reference"),
        ({}, ["sex"], {"sex": "x"}, "'x' of sex is no level"),
        ({}, ["age_years"], {"sex": "male"}, "not among the columns"),
        ({}, ["age_years", "age_years"], {}, "more than once"),
    ],
)
def test_bad_input_is_refused(change, columns, references, message):
    with pytest.raises(InputError, match=message):
        odds_ratios(drawn(0).assign(**change), "label", columns, references)


def test_all_problems_are_listed_together():
    cases = drawn(0).assign(sex=None, age_years=3.0)
    with pytest.raises(InputError, match=r"age_years holds only.*sex is missing"):
        odds_ratios(cases, "label", ["age_years", "sex"], {"sex": "male"})


def correlated(seed: int, n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(50, 10, n)
    b = 0.8 * a + rng.normal(0, 5, n)
    cut = np.digitize(a + rng.normal(0, 8, n), [45, 55])
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "c": rng.normal(0, 1, n),
            "location": np.array(["lower", "middle", "upper"])[cut],
        }
    )


def test_numbers_have_statsmodels_vif_with_a_constant():
    cases = correlated(0)[["a", "b", "c"]]
    design = sm.add_constant(cases).to_numpy()
    expected = [variance_inflation_factor(design, place) for place in (1, 2, 3)]
    found = variance_inflation(cases, ["a", "b", "c"])
    assert found["gvif"].tolist() == pytest.approx(expected, rel=1e-9)
    assert found["gvif_scaled"].tolist() == pytest.approx(np.sqrt(expected).tolist(), rel=1e-9)
    plain = [variance_inflation_factor(cases.to_numpy(), place) for place in (0, 1, 2)]
    assert found["uncentered"].tolist() == pytest.approx(plain, rel=1e-9)


def test_factors_have_the_determinants_of_fox_and_monette():
    cases = correlated(1)
    found = variance_inflation(cases, ["a", "location", "c"]).set_index("variable")
    for reference in ("lower", "middle", "upper"):  # any reference gives the same
        dummies = pd.get_dummies(cases["location"], dtype=float).drop(columns=reference)
        whole = np.corrcoef(pd.concat([dummies, cases[["a", "c"]]], axis=1), rowvar=False)
        expected = np.linalg.det(whole[:2, :2]) * np.linalg.det(whole[2:, 2:])
        expected /= np.linalg.det(whole)
        assert found.loc["location", "gvif"] == pytest.approx(expected, rel=1e-9)
    assert found.loc["location", "df"] == 2
    assert found.loc["location", "gvif_scaled"] == pytest.approx(expected**0.25, rel=1e-9)


def test_numbers_named_as_categories_are_factors():
    cases = correlated(2).assign(n_foci=np.arange(500) % 3 + 1)
    columns = ["a", "n_foci"]
    assert variance_inflation(cases, columns)["df"].tolist() == [1, 1]
    assert variance_inflation(cases, columns, categories=["n_foci"])["df"].tolist() == [1, 2]


def test_a_determined_column_is_infinite():
    cases = correlated(3)
    cases["sum"] = cases["a"] + cases["c"]
    found = variance_inflation(cases, ["a", "b", "c", "sum"]).set_index("variable")["gvif"]
    assert np.isinf(found[["a", "c", "sum"]]).all()
    assert found["b"] < 10


def test_a_nearly_constant_column_is_inflated_only_about_zero():
    rng = np.random.default_rng(0)
    cases = pd.DataFrame(
        {
            "composition": np.where(rng.random(2000) < 0.99, "solid", "mixed"),
            "age_years": rng.normal(43, 12, 2000),
        }
    )
    found = variance_inflation(cases, ["composition", "age_years"]).set_index("variable")
    assert found.loc["composition", "gvif"] == pytest.approx(1, abs=0.01)
    assert found.loc["composition", "uncentered"] > 10
    # taking the mean off is what makes the difference
    age = cases["age_years"] - cases["age_years"].mean()
    centered = variance_inflation(cases.assign(age_years=age), ["composition", "age_years"])
    assert centered["uncentered"].tolist() == pytest.approx([1, 1], abs=0.01)


def test_printed_vifs_of_composition_and_echogenicity_are_of_the_size_of_uncentered_ones():
    cases, _ = simulate_population("llnm", seed=0, signal=1.0)
    cases = cases[cases["split"] == "training"].assign(
        sex=lambda frame: pd.Categorical(frame["sex"], ["male", "female"]),
        location=lambda frame: pd.Categorical(
            frame["location"], ["upper", "middle", "lower", "isthmus"]
        ),
        margin=lambda frame: pd.Categorical(frame["margin"], ["smooth", "irregular", "ete"]),
    )
    columns = ["sex", "braf_v600e", "clt", "n_foci", "location", "margin", "composition"]
    columns += ["echogenicity", "taller_than_wide", "tumor_size_cm"]
    found = variance_inflation(cases, columns, categories=["n_foci"]).set_index("variable")
    for name, printed in (("composition", 134.8), ("echogenicity", 118.7)):
        assert found.loc[name, "uncentered"] == pytest.approx(printed, rel=0.25)
        assert found.loc[name, "gvif_scaled"] < 1.1


def test_odds_ratios_of_the_simulated_study_hold_the_published_counts():
    cases, _ = simulate_population("llnm", seed=0, signal=1.0)
    training = cases[cases["split"] == "training"]
    found = odds_ratios(
        training,
        "label",
        ["sex", "location", "tumor_size_cm"],
        {"sex": "male", "location": "upper"},
    )
    by_level = found.set_index("level")
    assert by_level.loc[["male", "female"], "n"].tolist() == [213, 665]
    assert by_level.loc[["upper", "middle", "lower", "isthmus"], "n"].tolist() == [
        195,
        461,
        171,
        51,
    ]
    assert by_level.loc[["male", "female"], "events"].sum() == 81
    assert by_level.loc["per unit", "lo"] > 1


@pytest.mark.parametrize(
    ("change", "columns", "message"),
    [
        ({}, ["a"], "at least two"),
        ({}, ["a", "x"], "no column"),
        ({"b": np.nan}, ["a", "b"], "missing in 500"),
        ({"b": 1.5}, ["a", "b"], "holds only"),
    ],
)
def test_bad_columns_have_no_vif(change, columns, message):
    with pytest.raises(InputError, match=message):
        variance_inflation(correlated(0).assign(**change), columns)
