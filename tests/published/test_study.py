import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.published import (
    parse_count,
    parse_mean_sd,
    parse_number,
    published,
    published_counts,
    published_mean_sd,
    published_notes,
    published_splits,
    published_table,
)

SPLITS = ["training", "validation", "test_a", "test_b"]


def variables() -> list[str]:
    return list(published_table("llnm", "table_1")["variable"].unique())


def noted(part: str, **keys: str) -> bool:
    notes = published_notes("llnm", part)
    found = np.ones(len(notes), dtype=bool)
    for key, value in keys.items():
        found &= (notes[key] == value).to_numpy()
    return bool(found.any())


def test_splits_add_up_to_the_cohort():
    splits, total = published_splits("llnm"), published("llnm")["total"]
    assert list(splits.index) == SPLITS
    assert splits[["n", "positive", "negative"]].sum().to_dict() == {
        "n": total["n"],
        "positive": total["positive"],
        "negative": total["negative"],
    }
    assert (splits["positive"] + splits["negative"] == splits["n"]).all()
    assert (total["n"], total["positive"]) == (1566, 151)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("variable", variables())
def test_the_counts_that_are_used_add_up_to_the_split(variable, split):
    counts = published_counts("llnm", variable, split)
    if counts:
        assert sum(counts.values()) == published_splits("llnm").loc[split, "n"]


def test_printed_counts_that_do_not_add_up_are_noted():
    table = published_table("llnm", "table_1")
    off = set()
    for variable in variables():
        rows = table[(table["variable"] == variable) & (table["level"] != "mean_sd")]
        for split in SPLITS:
            printed = sum(parse_count(text).n for text in rows[split])
            if len(rows) and printed != published_splits("llnm").loc[split, "n"]:
                off.add((variable, split))
    assert off == {("composition", "validation")}
    assert all(noted("table_1", variable=variable, split=split) for variable, split in off)


def test_percentages_agree_with_counts_or_are_noted():
    table = published_table("llnm", "table_1")
    n = published_splits("llnm")["n"]
    off = set()
    for row in table[table["level"] != "mean_sd"].itertuples():
        for split in SPLITS:
            count = parse_count(getattr(row, split))
            # half a unit of the last decimal, and a hair for 40/348 and the like
            if abs(100 * count.n / n[split] - count.percent.value) > count.percent.half_unit + 1e-9:
                off.add((row.variable, row.level, split))
    assert off == {("tumor_size_cm", "gt_4", "training"), ("echogenicity", "hypo", "training")}
    for variable, level, split in off:
        assert noted("table_1", variable=variable, level=level, split=split)


def test_the_label_row_is_the_split():
    for split in SPLITS:
        counts = published_counts("llnm", "label", split)
        assert counts["1"] == published_splits("llnm").loc[split, "positive"]


def test_every_mean_and_sd_is_readable():
    table = published_table("llnm", "table_1")
    rows = table[table["level"] == "mean_sd"]
    assert list(rows["variable"]) == [
        "age_years",
        "tumor_size_cm",
        "tpo_ab_iu_ml",
        "tg_ng_ml",
        "tg_ab_iu_ml",
    ]
    assert all(parse_mean_sd(text).sd.value > 0 for split in SPLITS for text in rows[split])
    assert published_mean_sd("llnm", "tg_ab_iu_ml", "training").sd.value == 464.30
    assert published_mean_sd("llnm", "sex", "training") is None


def test_odds_ratios_are_exponentials_of_the_coefficients_or_are_noted():
    table = published_table("llnm", "table_2")
    off = set()
    for row in table[~table["beta"].isin(["", "N/A"])].itertuples():
        beta, ratio = parse_number(row.beta), parse_number(row.odds_ratio.split(" ")[0])
        lo = np.exp(beta.value - beta.half_unit) - ratio.half_unit
        hi = np.exp(beta.value + beta.half_unit) + ratio.half_unit
        if not lo <= ratio.value <= hi:
            off.add(row.variable)
    assert off == {"sex", "tumor_size_cm", "tg_ng_ml", "tg_ab_iu_ml"}
    assert all(noted("table_2", variable=variable) for variable in off)


def test_tables_1_and_2_name_the_same_levels():
    first, second = (
        {(row.variable, row.level) for row in published_table("llnm", table).itertuples()}
        for table in ("table_1", "table_2")
    )
    stays = {(v, level) for v, level in first if level != "mean_sd" and v != "label"}
    assert stays == {(v, level) for v, level in second if level}


def test_aucs_lie_in_their_intervals_or_are_noted():
    off = set()
    for table in ("table_3", "table_4"):
        for row in published_table("llnm", table).query("auc != 'N/A'").itertuples():
            lo, hi = (float(end) for end in row.auc_ci.split("–"))
            if not lo <= float(row.auc) <= hi:
                off.add((table, row.split, row.model))
    assert off == {
        ("table_3", "training", "ResNet 101"),
        ("table_3", "training", "Inception 3"),
        ("table_3", "validation", "ResNet 34"),
        ("table_3", "validation", "ResNet 101"),
    }
    assert noted("table_3", column="auc_ci")


def test_tresnet_is_the_same_in_tables_3_and_4():
    shared = ["auc", "auc_ci", "accuracy", "sensitivity", "specificity", "ppv", "npv"]
    third, fourth = (
        published_table("llnm", table).query("model == 'TresNet'").set_index("split")
        for table in ("table_3", "table_4")
    )
    for split in ("training", "validation"):
        assert third.loc[split, shared].to_list() == fourth.loc[split, shared].to_list()


def test_feature_counts_do_not_reach_the_printed_total_and_this_is_noted():
    radiomics = published("llnm")["radiomics"]
    assert [int(n) for n in radiomics["feature_counts"].values()] == [162, 216, 126, 144, 144, 14]
    assert sum(int(n) for n in radiomics["feature_counts"].values()) == 806
    assert radiomics["features_total"] == "846"
    assert published_notes("llnm", "radiomics")["note"].str.contains("806").any()


def test_selected_features_and_network_are_complete():
    assert len(published_table("llnm", "table_s1")) == int(
        published("llnm")["radiomics"]["lasso_survivors"]
    )
    blocks = published_table("llnm", "table_s2").query("name.str.startswith('Block')")
    assert blocks["n_blocks"].to_list() == ["3", "4", "6", "3"]


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: published("lllnm"), "Did you mean 'llnm'"),
        (lambda: published_table("llnm", "table_9"), "Did you mean 'table_"),
        (lambda: published_notes("llnm", "tabel_1"), "Did you mean 'table_1'"),
        (lambda: published_counts("llnm", "sexx", "training"), "Did you mean 'sex'"),
        (lambda: published_counts("llnm", "sex", "train"), "Did you mean 'training'"),
    ],
)
def test_unknown_names_get_a_suggestion(call, hint):
    with pytest.raises(InputError, match=hint):
        call()


def test_what_a_caller_changes_does_not_stay():
    published("llnm")["total"]["n"] = 0
    assert published("llnm")["total"]["n"] == 1566
