"""Odds ratios that do not exist: each time it is said which column, and what to do."""

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.regression import odds_ratios


def drawn(seed: int, n: int = 120) -> pd.DataFrame:
    """Age and an outcome that depends on it a little."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, n)
    return pd.DataFrame({"age_years": age, "label": (rng.normal(45, 20, n) < age).astype(int)})


def test_separation_by_a_level_and_a_number_together_names_the_level():
    rng = np.random.default_rng(5)
    cases = pd.DataFrame({"sex": np.repeat(["female", "male"], 40), "label": [0, 1] * 40})
    # known for the men only, and separating among them only
    cases["tg_ng_ml"] = np.where(cases["sex"] == "male", 3.0 * cases["label"] + rng.random(80), 0)
    with pytest.raises(InputError, match=r"\['sex=male', 'tg_ng_ml'\] together separate"):
        odds_ratios(cases, "label", ["sex", "tg_ng_ml"], {"sex": "female"})


def test_a_separating_factor_is_named_by_its_reference_and_points_to_the_penalized_fit():
    cases = pd.DataFrame({"label": [0, 1] * 20, "margin": ["smooth", "irregular"] * 20})
    message = "reference 'smooth' of margin: no events.*join levels, or take odds_ratios_firth"
    with pytest.raises(InputError, match=message):
        odds_ratios(cases, "label", ["margin"], {"margin": "smooth"})


def test_a_rare_binary_number_without_events_is_named():
    cases = drawn(2)
    cases["braf_v600e"] = 0
    cases.loc[cases.index[cases["label"] == 0][:6], "braf_v600e"] = 1
    with pytest.raises(InputError, match=r"\['braf_v600e'\] alone separate.*odds_ratios_firth"):
        odds_ratios(cases, "label", ["age_years", "braf_v600e"], {})
    # as a factor the level is flagged, and the others keep their estimates
    found = odds_ratios(cases, "label", ["age_years", "braf_v600e"], {"braf_v600e": 0})
    assert found["note"].iloc[-1] == "no events; no finite estimate"
    assert np.isfinite(found["odds_ratio"].iloc[0])


def test_more_columns_than_cases_are_refused_by_name():
    rng = np.random.default_rng(0)
    cases = pd.DataFrame(rng.normal(size=(20, 30))).rename(columns=lambda number: f"g{number}")
    cases["label"] = [0, 1] * 10
    with pytest.raises(InputError, match=r"'g2\d'.* determined"):
        odds_ratios(cases, "label", [f"g{number}" for number in range(30)], {})


def test_a_split_without_events_has_no_odds_ratios():
    with pytest.raises(InputError, match=r"label holds only \[0\]; leave the column out"):
        odds_ratios(drawn(0).assign(label=0), "label", ["age_years"], {})
