"""The occult CLNM paper's numbers against each other."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from lnm_kit.published import (
    parse_count,
    parse_number,
    published,
    published_counts,
    published_notes,
    published_quartiles,
    published_splits,
    published_table,
)

SPLITS = ["training", "validation", "test"]
TABLE = published_table("clnm", "table_1")
CATEGORICAL = list(TABLE.loc[TABLE["level"] != "quartiles", "variable"].unique())
CONTINUOUS = list(TABLE.loc[TABLE["level"] == "quartiles", "variable"])


def test_thirteen_indicators_are_printed():
    indicators = int(published("clnm")["combined"]["clinical_indicators"])
    assert len(CATEGORICAL) + len(CONTINUOUS) == indicators == 13


def test_splits_add_up_to_the_cohort_and_no_positives_are_printed():
    splits = published_splits("clnm")
    assert list(splits.index) == SPLITS
    assert splits["n"].sum() == published("clnm")["total"]["n"] == 461
    assert "positive" not in splits
    assert published_notes("clnm", "cohort")["note"].str.contains("is not printed").any()


def test_the_numbers_of_the_text_agree():
    cohort, n = published("clnm")["cohort"], published_splits("clnm")["n"]
    excluded = int(cohort["excluded_incomplete_images"]) + int(cohort["excluded_confirmed_before"])
    assert int(cohort["initial"]) - excluded == 461
    assert int(cohort["images"]) == 2 * 461
    assert int(cohort["images_development"]) == 2 * int(cohort["patients_development"])
    assert int(cohort["patients_development"]) == n["training"] + n["validation"]
    assert int(cohort["images_test"]) == 2 * n["test"]
    men = sum(published_counts("clnm", "sex", split)["male"] for split in SPLITS)
    assert (men, 461 - men) == (int(cohort["male"]), int(cohort["female"]))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("variable", CATEGORICAL)
def test_counts_add_up_to_the_split(variable, split):
    counts = published_counts("clnm", variable, split)
    assert sum(counts.values()) == published_splits("clnm").loc[split, "n"]


def test_percentages_agree_with_counts_or_are_noted():
    n = published_splits("clnm")["n"]
    off = set()
    for row in TABLE[TABLE["level"] != "quartiles"].itertuples():
        for split in SPLITS:
            count = parse_count(getattr(row, split))
            if abs(100 * count.n / n[split] - count.percent.value) > count.percent.half_unit + 1e-9:
                off.add((row.variable, row.level, split))
    notes = published_notes("clnm", "table_1").dropna(subset=["level", "split"])
    assert off == set(notes[["variable", "level", "split"]].itertuples(index=False, name=None))
    assert len(off) == 4


@pytest.mark.parametrize("variable", CATEGORICAL)
def test_the_printed_tests_are_those_of_the_counts(variable):
    counts = [list(published_counts("clnm", variable, split).values()) for split in SPLITS]
    found = chi2_contingency(np.array(counts), correction=False)
    row = TABLE[TABLE["variable"] == variable].iloc[0]
    for value, printed in ((found.statistic, row["statistic"]), (found.pvalue, row["p_value"])):
        number = parse_number(printed)
        assert value == pytest.approx(number.value, abs=2.5 * number.half_unit)


def test_quartiles_are_in_order_and_in_the_unit_of_the_column():
    for variable in CONTINUOUS:
        for split in SPLITS:
            printed = published_quartiles("clnm", variable, split)
            assert printed.first.value < printed.median.value < printed.third.value
    size = published_quartiles("clnm", "tumor_size_cm", "training")
    assert (size.first.value, size.median.value, size.third.value) == (0.47, 0.61, 0.78)
    assert published_quartiles("clnm", "sex", "training") is None


def test_aucs_lie_in_their_intervals_and_agree_with_the_abstract():
    aucs = published_table("clnm", "aucs")
    assert len(aucs) == 5 * len(SPLITS)
    for row in aucs.itertuples():
        lo, hi = (float(end) for end in row.auc_ci.split("–"))
        assert lo <= float(row.auc) <= hi
    printed = aucs.set_index(["split", "model"])["auc"]
    for row in published_table("clnm", "headline").itertuples():
        assert printed[row.split, row.model] == row.auc


def test_intervals_that_hold_one_half_are_the_noted_ones():
    aucs = published_table("clnm", "aucs")
    low = aucs["auc_ci"].str.split("–").str[0].astype(float)
    guessing = set(aucs.loc[low <= 0.5, ["split", "model"]].itertuples(index=False, name=None))
    assert guessing == {("validation", "DL_C"), ("test", "DL_C"), ("test", "DL_L")}
    assert published_notes("clnm", "aucs")["note"].str.contains("hold 0.5").any()


def test_delong_tests_name_models_that_have_an_auc():
    models = set(published_table("clnm", "aucs")["model"])
    delong = published_table("clnm", "delong")
    assert set(delong["model_a"]) | set(delong["model_b"]) <= models
    # the one external comparison that the text calls not significant
    above = delong[delong["p_value"].map(lambda text: parse_number(text).value) >= 0.05]
    assert above[["split", "model_a", "model_b"]].to_numpy().tolist() == [
        ["test", "Combined", "DL_F"]
    ]
