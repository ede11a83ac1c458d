"""The LVLNM paper's numbers against each other."""

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.published import (
    parse_number,
    published,
    published_counts,
    published_mean_sd,
    published_notes,
    published_splits,
    published_table,
)

SPLITS = ["training", "validation", "test"]
CATEGORICAL = ["sex", "multifocal", "capsular_invasion"]


def rates(tp: int, n_positive: int, tn: int, n_negative: int) -> dict[str, float]:
    """The rates of a confusion matrix, in the columns of the paper's tables."""
    fp, fn = n_negative - tn, n_positive - tp
    return {
        "accuracy": (tp + tn) / (n_positive + n_negative),
        "sensitivity": tp / n_positive,
        "specificity": tn / n_negative,
        "ppv": tp / (tp + fp),
        "npv": tn / (tn + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
    }


def off(row, n_positive: int, n_negative: int) -> set[str]:
    """Printed rates that contradict the counts behind sensitivity and specificity."""
    tp = round(float(row.sensitivity) * n_positive)
    tn = round(float(row.specificity) * n_negative)
    found = rates(tp, n_positive, tn, n_negative)
    printed = {name: parse_number(getattr(row, name)) for name in found}
    return {
        name
        for name, number in printed.items()
        if abs(found[name] - number.value) > number.half_unit + 1e-9
    }


def test_splits_add_up_to_the_cohort_with_354_external_patients():
    splits, total = published_splits("lvlnm"), published("lvlnm")["total"]
    assert list(splits.index) == SPLITS
    assert splits[["n", "positive", "negative"]].sum().to_dict() == total
    assert (splits["positive"] + splits["negative"] == splits["n"]).all()
    assert splits["printed"].astype(int).to_list() == [350, 150, 374]
    assert splits["printed"].astype(int).sum() == 874
    notes = published_notes("lvlnm", "cohort")
    assert notes.loc[notes["split"] == "test", "note"].str.contains("874, not 854").all()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("variable", CATEGORICAL)
@pytest.mark.parametrize("label", [0, 1])
def test_every_characteristic_adds_up_to_the_patients_of_its_label(variable, split, label):
    counts = published_counts("lvlnm", variable, split, label=label)
    plan = published_splits("lvlnm").loc[split]
    assert sum(counts.values()) == plan["positive" if label else "negative"]


def test_the_sexes_are_those_of_the_text():
    cohort = published("lvlnm")["cohort"]
    men = sum(published_counts("lvlnm", "sex", split)["male"] for split in SPLITS)
    assert (men, 854 - men) == (int(cohort["male"]), int(cohort["female"]))


def test_the_patients_by_metastasis_exceed_the_cohort_and_this_is_noted():
    cohort = published("lvlnm")["cohort"]
    parts = [int(cohort[name]) for name in ("without_lnm", "with_lnm_below_five", "with_lvlnm")]
    assert sum(parts) == 874
    assert published_notes("lvlnm", "cohort")["note"].str.contains("are 874").any()


def test_the_mean_age_of_the_text_is_not_that_of_the_table_and_this_is_noted():
    n = published_splits("lvlnm")["n"]
    means = [published_mean_sd("lvlnm", "age_years", split).mean.value for split in SPLITS]
    assert np.average(means, weights=n) == pytest.approx(43.61, abs=0.01)
    notes = published_notes("lvlnm", "cohort")
    assert notes.loc[notes["variable"] == "age_years", "note"].str.contains("43.61").all()


def test_both_labels_together_have_the_moments_of_two_samples():
    rng = np.random.default_rng(0)
    groups = []
    for label, n in ((0, 315), (1, 35)):
        printed = published_mean_sd("lvlnm", "tumor_size_cm", "training", label=label)
        drawn = rng.standard_normal(n)
        standard = (drawn - drawn.mean()) / drawn.std(ddof=1)
        groups.append(printed.mean.value + printed.sd.value * standard)
    together = published_mean_sd("lvlnm", "tumor_size_cm", "training")
    values = np.concatenate(groups)
    assert together.mean.value == pytest.approx(values.mean(), abs=1e-9)
    assert together.sd.value == pytest.approx(values.std(ddof=1), abs=1e-9)


def test_sizes_come_in_the_unit_of_the_column():
    printed = published_table("lvlnm", "table_1").set_index("variable")
    assert printed.loc["tumor_size_cm", "training_1"] == "12.63±5.38"
    size = published_mean_sd("lvlnm", "tumor_size_cm", "training", label=1)
    assert (size.mean.value, size.sd.value, size.mean.decimals) == (1.263, 0.538, 3)


def test_labels_printed_together_cannot_be_asked_apart():
    with pytest.raises(InputError, match="does not print the labels apart"):
        published_counts("llnm", "sex", "training", label=1)


def test_table_2_counts_262_images_and_repeats_the_sensitivity_as_npv():
    for row in published_table("lvlnm", "table_2").itertuples():
        assert off(row, 42, 220) == {"npv"}
        assert row.npv == row.sensitivity
        # 22 and 128 patients do not give these rates
        assert len(off(row, 22, 128)) > 2
    notes = published_notes("lvlnm", "table_2")["note"]
    assert notes.str.contains("repeats the sensitivity").any()
    assert notes.str.contains("counts of 42 and specificities counts of 220").any()


@pytest.mark.parametrize(
    ("split", "model", "n_positive", "n_negative", "expected"),
    [
        ("validation", "Thy-DL-Radiomics", 15, 135, set()),
        ("test", "Thy-DL-Radiomics", 42, 221, set()),
        ("validation", "Thy-Radiomics", 42, 220, set()),
        ("validation", "Thy-DL", 42, 220, {"npv"}),
    ],
)
def test_figure_5_rates_belong_to_the_noted_numbers(split, model, n_positive, n_negative, expected):
    table = published_table("lvlnm", "figure_5")
    (row,) = table[(table["split"] == split) & (table["model"] == model)].itertuples()
    assert off(row, n_positive, n_negative) == expected
    plan = published_splits("lvlnm").loc[split]
    assert off(row, plan["positive"], plan["negative"]) != set()


def test_the_same_model_has_the_same_numbers_everywhere():
    second = published_table("lvlnm", "table_2").set_index("model").loc["DenseNet121"]
    fifth = published_table("lvlnm", "figure_5").set_index("model").loc["Thy-DL"]
    assert second.to_dict() == fifth.drop("split").to_dict()
    figure = published_table("lvlnm", "figure_5")
    for row in published_table("lvlnm", "headline").itertuples():
        same = figure[(figure["auc"] == row.auc) & (figure["split"] == row.split)]
        assert list(same["auc_ci"]) == [row.auc_ci]


def test_aucs_lie_in_their_intervals():
    for table in ("table_2", "figure_5"):
        for row in published_table("lvlnm", table).itertuples():
            lo, hi = (float(end) for end in row.auc_ci.split("–"))
            assert lo <= float(row.auc) <= hi


def test_feature_counts_reach_the_printed_total():
    radiomics = published("lvlnm")["radiomics"]
    total = int(radiomics["features_total"].replace(",", ""))
    assert sum(int(n) for n in radiomics["feature_counts"].values()) == total == 1357
    assert len(radiomics["classifiers"]) == 8
