"""The DGFNet paper's numbers against each other."""

import numpy as np
import pytest

from lnm_kit.published import parse_number, published, published_notes, published_splits
from lnm_kit.published import published_table as table

RATES = ["accuracy", "sensitivity", "specificity", "precision", "f1"]


def noted(part: str, text: str) -> bool:
    return bool(published_notes("dgfnet", part)["note"].str.contains(text, regex=False).any())


def rates(tp: int, positive: int, tn: int, negative: int) -> list[float]:
    fp, fn = negative - tn, positive - tp
    return [
        (tp + tn) / (positive + negative),
        tp / positive,
        tn / negative,
        tp / (tp + fp),
        2 * tp / (2 * tp + fp + fn),
    ]


def test_nodules_and_patients_are_those_of_the_text():
    splits, cohort = published_splits("dgfnet"), published("dgfnet")["cohort"]
    assert splits.loc["training", ["n", "patients"]].to_list() == [1285, 1138]
    assert splits["n"].sum() == published("dgfnet")["total"]["n"]
    for split, prefix in (("training", ""), ("test", "external_")):
        assert int(cohort[f"{prefix}nodules"]) == splits.loc[split, "n"]
        assert int(cohort[f"{prefix}patients"]) == splits.loc[split, "patients"]


def test_evaluated_nodules_are_two_balanced_classes_and_this_is_noted():
    cohort, shown = published("dgfnet")["cohort"], published("dgfnet")["contributions"]
    for site, half in (("central", 477), ("lateral", 201)):
        assert int(cohort[f"{site}_nodules_evaluated"]) == 2 * half == int(shown[f"{site}_nodules"])
    assert noted("cohort", "477 and 201 of the rarer class")


@pytest.mark.parametrize(
    ("split", "positive", "negative", "tp", "tn"),
    [("test", 22, 38, 20, 29), ("internal", 48, 48, 41, 40)],
)
def test_table_4_is_of_the_noted_counts(split, positive, negative, tp, tn):
    row = table("dgfnet", "table_4").set_index("split").loc[split]
    for name, found in zip(RATES, rates(tp, positive, tn, negative), strict=True):
        number = parse_number(row[name])
        assert found == pytest.approx(number.value, abs=number.half_unit + 1e-9)
    assert noted("table_4", f"{positive} positive and {negative} negative")


def test_unimodal_and_basic_rows_repeat_between_tables():
    columns = ["accuracy", "auc", "sensitivity", "specificity", "precision", "f1"]
    first, second, third = (table("dgfnet", f"table_{i}") for i in (1, 2, 3))
    own = first[first["model"] == "Proposed"].set_index(["modality", "site"])[columns]
    fused = second.set_index(["model", "site"])[columns]
    for key in own.index:
        assert own.loc[key].to_list() == fused.loc[key].to_list()
    basic = third[third["model"] == "Basic fusion"].set_index("site")[columns]
    for site in ("central", "lateral"):
        assert basic.loc[site].to_list() == fused.loc[("Average", site)].to_list()


@pytest.mark.parametrize("site", ["central", "lateral"])
def test_averages_are_those_of_the_three_fusions(site):
    rows = table("dgfnet", "table_2").query("site == @site").set_index("model").drop(columns="site")
    mean = rows.loc[["Concat", "Sum", "Product"]].astype(float).mean()
    np.testing.assert_allclose(mean, rows.loc["Average"].astype(float), atol=0.0016)


def test_gains_are_differences_of_aucs_and_this_is_noted():
    second = table("dgfnet", "table_2").set_index(["site", "model"])["auc"].astype(float)
    third = table("dgfnet", "table_3").set_index(["site", "model"])["auc"].astype(float)
    for row in table("dgfnet", "gains").itertuples():
        gain = third[row.site, "Diverse granularity fusion"] - second[row.site, row.against]
        assert 100 * gain == pytest.approx(parse_number(row.gain).value, abs=0.051)
    assert noted("table_2", "not per cent")


def test_the_gain_over_the_best_basic_fusion_is_the_noted_one():
    second, third = table("dgfnet", "table_2"), table("dgfnet", "table_3")
    for site, gain in (("central", 0.022), ("lateral", 0.005)):
        rows = second[second["model"].isin(["Concat", "Sum", "Product"]) & (second["site"] == site)]
        ours = third["model"].str.startswith("Diverse") & (third["site"] == site)
        (full,) = third.loc[ours, "auc"]
        assert float(full) - rows["auc"].astype(float).max() == pytest.approx(gain, abs=1e-9)
    assert noted("table_3", "0.022 (concatenation, central) and 0.005 (sum, lateral)")


def test_the_headline_is_that_of_the_tables():
    third = table("dgfnet", "table_3").query("model.str.startswith('Diverse')").set_index("site")
    for row in table("dgfnet", "headline").query("split == 'training'").itertuples():
        assert third.loc[row.site, "auc"] == row.auc
    external = table("dgfnet", "table_4").set_index("split").loc["test", "auc"]
    assert table("dgfnet", "headline").query("split == 'test'")["auc"].item() == external


def test_the_external_interval_holds_the_internal_value():
    auc, k, m = 0.903, 22, 38
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (k - 1) * (one - auc**2) + (m - 1) * (two - auc**2)
    half = 1.96 * np.sqrt(variance / (k * m))
    assert (auc - half, auc + half) == pytest.approx((0.81, 0.99), abs=0.01)
    assert noted("table_4", "0.81 to 0.99")
