"""The CEUS paper's numbers against each other."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from lnm_kit.published import (
    parse_number,
    published,
    published_counts,
    published_notes,
    published_quartiles,
    published_splits,
    published_table,
)

SPLITS = ["training", "validation", "test"]
COLUMN_SIZES = {"training": 246, "validation": 246, "test": 62}


def counts_of(percent: str, n: int) -> bool:
    """Whether a printed percentage is a count of n, within its rounding."""
    number = parse_number(percent)
    return any(abs(100 * k / n - number.value) <= number.half_unit + 1e-9 for k in range(n + 1))


def noted(part: str, text: str) -> bool:
    return bool(published_notes("ceus", part)["note"].str.contains(text, regex=False).any())


def test_splits_add_up_to_the_cohort():
    splits, total = published_splits("ceus"), published("ceus")["total"]
    assert list(splits.index) == SPLITS
    assert splits[["n", "positive", "negative"]].sum().to_dict() == total
    assert (splits["positive"] + splits["negative"] == splits["n"]).all()
    cohort = published("ceus")["cohort"]
    assert int(cohort["male"]) + int(cohort["female"]) == total["n"] == 308


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("variable", ["label", "sex", "side", "us_lnm"])
def test_every_characteristic_adds_up_to_the_patients_of_its_column(variable, split):
    assert sum(published_counts("ceus", variable, split).values()) == COLUMN_SIZES[split]


def test_training_and_validation_are_printed_together():
    splits = published_splits("ceus")
    assert splits.loc[["training", "validation"], "n"].sum() == 246
    assert splits.loc[["training", "validation"], "positive"].sum() == 126
    for variable in ("sex", "side", "us_lnm"):
        assert published_counts("ceus", variable, "training") == published_counts(
            "ceus", variable, "validation"
        )
    age = published_quartiles("ceus", "age_years", "validation")
    assert (age.first.value, age.median.value, age.third.value) == (33.0, 41.0, 52.0)
    assert published_quartiles("ceus", "age_years", "test").third.value == 54.7


@pytest.mark.parametrize(("variable", "near"), [("label", 6e-4), ("sex", 6e-4), ("us_lnm", 6e-4)])
def test_the_printed_tests_are_those_of_the_counts(variable, near):
    counts = [list(published_counts("ceus", variable, s).values()) for s in ("training", "test")]
    found = chi2_contingency(np.array(counts), correction=False).pvalue
    table = published_table("ceus", "table_1").set_index("variable")
    assert found == pytest.approx(float(table.loc[variable, "p_value"].iloc[0]), abs=near)


def test_the_test_of_the_location_is_off_and_noted():
    counts = [list(published_counts("ceus", "side", s).values()) for s in ("training", "test")]
    assert chi2_contingency(np.array(counts)).pvalue == pytest.approx(0.103, abs=5e-4)
    assert noted("table_1", "0.103, printed 0.109")


def test_the_reading_of_the_neck_is_rated_on_all_patients_and_this_is_noted():
    row = published_table("ceus", "table_3").set_index("model").loc["US-LNM"]
    # printed with a zero more than the text's 38.6
    sensitivity = row["sensitivity"].removesuffix("0")
    assert counts_of(sensitivity, 158)
    assert not counts_of(sensitivity, 32)
    hits, silent = round(0.386 * 158), round(0.9 * 150)
    readings = sum(published_counts("ceus", "us_lnm", split)["1"] for split in SPLITS[1:])
    assert hits + 150 - silent == readings == 76
    assert 100 * (hits + silent) / 308 == pytest.approx(float(row["accuracy"]), abs=0.05)
    assert float(row["auc"]) == pytest.approx((0.386 + 0.9) / 2, abs=5e-4)
    assert noted("table_3", "61 of 158, 135 of 150 and 196 of 308")


@pytest.mark.parametrize("model", ["Dual-modality", "Triple-modality"])
def test_sensitivities_are_counts_of_the_whole_test_set_and_this_is_noted(model):
    row = published_table("ceus", "table_3").set_index("model").loc[model]
    assert all(counts_of(row[name], 62) for name in ("sensitivity", "specificity", "accuracy"))
    assert not counts_of(row["sensitivity"], 32)
    assert not counts_of(row["specificity"], 30)
    assert noted("table_3", "counts of all 62 patients")


def test_accuracies_outside_sensitivity_and_specificity_are_noted():
    off = set()
    for table, keys in (("table_2", ["modality", "backbone"]), ("table_3", ["model"])):
        for _, row in published_table("ceus", table).iterrows():
            rates = float(row["sensitivity"]), float(row["specificity"])
            if not min(rates) < float(row["accuracy"]) < max(rates):
                off.add((table, *row[keys]))
    assert off == {
        ("table_2", "B-mode", "Resnet50"),
        ("table_2", "B-mode", "VGG11"),
        ("table_2", "CEUS", "Resnet50"),
        ("table_2", "CEUS", "VGG11"),
        ("table_3", "B-mode"),
        ("table_3", "CEUS"),
        ("table_3", "Triple-modality"),
    }
    assert noted("table_2", "lies below both")
    assert noted("table_3", "lie below both")
    assert noted("table_3", "equals the sensitivity")


def test_backbones_are_not_rated_on_the_validation_set_and_this_is_noted():
    table = published_table("ceus", "table_2")
    assert not any(counts_of(text, 24) for text in table["specificity"] if text != "70.83")
    b_mode = table.loc[table["modality"] == "B-mode", "accuracy"]
    assert not any(counts_of(text, n) for text in b_mode for n in range(10, 130))
    assert all(counts_of(text, 49) for text in table.loc[table["modality"] == "CEUS", "accuracy"])
    assert noted("table_2", "of no set below 130")


def test_intervals_are_too_narrow_for_62_patients_and_this_is_noted():
    rows = published_table("ceus", "table_3").set_index("model")
    for model, row in rows.iterrows():
        lo, hi = (float(end) for end in row["auc_ci"].split(", "))
        auc = float(row["auc"])
        assert lo <= auc <= hi
        one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        variance = (auc * (1 - auc) + 31 * (one - auc**2) + 29 * (two - auc**2)) / (32 * 30)
        share = (hi - lo) / (2 * 1.96 * np.sqrt(variance))
        assert share < 0.55
        assert (share < 0.2) == (model == "Triple-modality")
    assert noted("table_3", "a fifth of that width")


def test_the_abstract_agrees_with_table_3_and_the_fused_vector_with_its_parts():
    third = published_table("ceus", "table_3").set_index("model")
    for row in published_table("ceus", "headline").itertuples():
        for name in ("auc", "sensitivity", "specificity", "accuracy"):
            assert third.loc[row.model, name] == getattr(row, name)
    training = published("ceus")["training"]
    sizes = [int(training[n].replace(",", "")) for n in ("feature_dimension", "fused_dimension")]
    assert 2 * sizes[0] + 1 == sizes[1] == 4097
