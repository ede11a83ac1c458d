"""Simulated US and CT cohorts: patients with nodules, two labels, files, place of the signal."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lnm_kit.cohort import check_cohort, load_cohort, read_image, read_mask
from lnm_kit.errors import InputError
from lnm_kit.evaluation import out_of_fold_scores
from lnm_kit.published import published, published_splits, published_table
from lnm_kit.simulate import frames, slices
from lnm_kit.simulate.attenuation import describe_attenuation
from lnm_kit.simulate.cohort import simulate_cohort
from lnm_kit.simulate.frames import describe_nodules, draw_views, image_counts
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.neck_ct import Slice, extent_mm
from lnm_kit.simulate.population import simulate_population, split_plan
from lnm_kit.simulate.slices import (
    draw_slice_counts,
    slice_counts,
    slice_offsets,
    write_slices,
)
from lnm_kit.simulate.truth import drawn_quantities, expected_auc, oracle_auc
from lnm_kit.simulate.ultrasound import Frame


def quick_render(nodule, scanner, *, plane, seed):
    rng = np.random.default_rng([seed, plane == "transverse"])
    mask = np.zeros((24, 32), dtype=bool)
    mask[8:16, 10:20] = True
    return Frame(rng.integers(1, 255, mask.shape, dtype=np.uint8), mask, (0.2, 0.1))


def quick_slice(nodule, attenuation, reconstruction, *, offset_mm, seed):
    rng = np.random.default_rng([nodule.seed, seed])
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:9, 5:9] = True
    return Slice(rng.integers(-1000, 900, mask.shape).astype(np.int16), mask, (0.5, 0.5))


@pytest.fixture(scope="module")
def population():
    return simulate_population("dgfnet", seed=11, signal=1.0)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A small cohort with noise for images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(frames, "render", quick_render)
        patch.setattr(slices, "render_slice", quick_slice)
        yield load_cohort(simulate_cohort("dgfnet", seed=4, signal=1.0, size=0.05))


def test_patients_nodules_and_labels_are_as_many_as_published(population):
    cases, truth = population
    found = cases.groupby("split", sort=False).agg(
        n=("label", "size"),
        patients=("patient_id", "nunique"),
        central=("label", "sum"),
        lateral=("label_lateral", "sum"),
    )
    assert found.loc["training"].to_list() == [1285, 1138, 477, 201]
    assert found.loc["test"].to_list() == [60, 60, 22, 9]
    printed = published_splits("dgfnet")
    assert found[["n", "patients"]].equals(printed[["n", "patients"]].rename_axis("split"))
    cohort = published("dgfnet")["cohort"]
    assert int(cohort["central_nodules_evaluated"]) == 2 * 477
    assert int(cohort["lateral_nodules_evaluated"]) == 2 * 201
    for suffix, total in (("", 477 + 22), ("_lateral", 201 + 9)):
        assert truth[f"probability{suffix}"].sum() == pytest.approx(total, abs=1e-6)


def test_the_external_positives_are_those_that_table_4_implies():
    row = published_table("dgfnet", "table_4").set_index("split").loc["test"].astype(float)
    fits = [
        k
        for k in range(1, 60)
        for tp in [round(row["sensitivity"] * k)]
        for tn in [round(row["specificity"] * (60 - k))]
        if abs(tp / k - row["sensitivity"]) < 6e-4
        and abs(tn / (60 - k) - row["specificity"]) < 6e-4
        and abs(tp / (tp + 60 - k - tn) - row["precision"]) < 6e-4
        and abs((tp + tn) / 60 - row["accuracy"]) < 6e-4
    ]
    assert fits == [22] == [population_model("dgfnet").positives["test"]]


def test_patients_have_one_sex_one_age_and_their_nodules_in_a_row(population):
    cases, _ = population
    of_patient = cases.groupby("patient_id", sort=False)
    assert (of_patient[["sex", "age_years", "split"]].nunique() == 1).all(axis=None)
    assert cases["patient_id"].drop_duplicates().is_monotonic_increasing
    several = of_patient.size() > 1
    assert 100 < several.sum() < 147
    shape = cases[cases["patient_id"].isin(several.index[several])].groupby("patient_id")
    assert (shape["tumor_size_cm"].nunique() > 1).mean() > 0.9
    changed = cases["patient_id"].ne(cases["patient_id"].shift()).sum()
    assert changed == cases["patient_id"].nunique()


def test_images_are_as_many_as_published(population):
    cases, truth = population
    model = population_model("dgfnet")
    main = cases["split"] == "training"
    views = draw_views(model, cases["split"], seed=11)
    n_us = pd.Series({case_id: len(of_case) for case_id, of_case in views.items()})
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    n_ct = pd.Series(draw_slice_counts(model, cases["split"], nodules, seed=11))
    cohort = published("dgfnet")["cohort"]
    assert n_us[main].sum() == int(cohort["us_images"]) == 3522
    assert n_ct[main].sum() == int(cohort["ct_images"]) == 7649
    assert n_us.min() == n_ct.min() == 1
    assert sum(image_counts(model, 1285).values()) == sum(slice_counts(model, 1285).values())
    # large nodules meet more slices, labels do not
    assert n_ct.corr(np.log(cases["tumor_size_cm"])) > 0.7
    for case_id in cases.index[:40]:
        head, feet = extent_mm(nodules[case_id])
        offsets = slice_offsets(nodules[case_id], n_ct[case_id])
        assert len(offsets) == n_ct[case_id]
        assert -head < min(offsets) <= max(offsets) < feet


def test_ultrasound_tells_more_at_the_central_site_and_both_alike_at_the_lateral(population):
    cases, truth = population
    main = cases["split"] == "training"
    auc = {
        (latent, site): expected_auc(truth.loc[main, latent], truth.loc[main, f"probability{site}"])
        for latent in ("aggressiveness", "spread")
        for site in ("", "_lateral")
    }
    assert auc["aggressiveness", ""] > auc["spread", ""] + 0.08
    assert auc["aggressiveness", "_lateral"] == pytest.approx(auc["spread", "_lateral"], abs=0.05)
    both = expected_auc(truth.loc[main, "log_odds"], truth.loc[main, "probability"])
    assert both > max(auc.values()) + 0.04
    assert both == pytest.approx(0.935, abs=0.02)
    # on the drawn labels of either site
    assert oracle_auc(cases, truth, "training") == pytest.approx(0.935, abs=0.03)
    lateral = oracle_auc(cases, truth, "training", label="label_lateral")
    assert lateral == pytest.approx(0.915, abs=0.03)


def test_who_reads_all_that_was_drawn_reaches_about_the_papers_networks(population):
    cases, truth = population
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    ct = {
        case_id: asdict(describe_attenuation(nodule, truth.spread[case_id], nodule.seed))
        for case_id, nodule in nodules.items()
    }
    of_nodule = pd.DataFrame({case_id: asdict(n) for case_id, n in nodules.items()}).T
    shown = of_nodule.add_prefix("nodule_").join(pd.DataFrame(ct).T.add_prefix("ct_"))
    us, ct = (drawn_quantities(shown, name) for name in ("us", "ct"))
    main = cases.split == "training"
    label, owner = cases.label[main], cases.patient_id[main]
    reached = {}
    for name, read in {"us": us, "ct": ct, "both": us.combine_first(ct)}.items():
        reader = make_pipeline(StandardScaler(), LogisticRegression())
        score = out_of_fold_scores(reader, read[main], label, owner, folds=5, seed=0)
        reached[name] = roc_auc_score(label, score)
    table = published_table("dgfnet", "table_2").set_index(["site", "model"]).auc.astype(float)
    fused = published_table("dgfnet", "table_3").set_index(["site", "model"]).auc.astype(float)
    paper = {
        "us": table["central", "US"],
        "ct": table["central", "CT"],
        "both": fused["central", "Diverse granularity fusion"],
    }
    for name, value in reached.items():
        assert paper[name] - 0.06 < value < paper[name] + 0.03
    assert reached["both"] > max(reached["us"], reached["ct"]) + 0.02


def test_what_was_drawn_into_images_is_named_when_it_is_missing():
    with pytest.raises(InputError, match=r"columns are missing: .*ct_stranding"):
        drawn_quantities(pd.DataFrame({"ct_edge_mm": [1.0]}), "ct")


def test_at_most_so_many_images_of_a_nodule_are_drawn(cohort, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(cohort.root.parent))
    monkeypatch.setattr(frames, "render", quick_render)
    monkeypatch.setattr(slices, "render_slice", quick_slice)
    few = load_cohort(simulate_cohort("dgfnet", seed=4, signal=1.0, size=0.05, most_images=2))
    counts, whole = (
        each.images.groupby(["case_id", "modality"]).size().sort_index() for each in (few, cohort)
    )
    assert (counts == whole.clip(upper=2)).all()
    pd.testing.assert_frame_equal(few.cases, cohort.cases)
    pd.testing.assert_frame_equal(few.truth, cohort.truth)
    with pytest.raises(InputError, match="most_images is 0; allowed: 1 or more"):
        simulate_cohort("dgfnet", seed=4, signal=1.0, size=0.05, most_images=0)


def test_each_image_shows_its_own_latent(population):
    cases, truth = population
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    spread = truth["spread"]
    ct = {i: describe_attenuation(n, spread[i], n.seed) for i, n in nodules.items()}
    shown = pd.DataFrame(
        {
            "echo": {i: n.echo_db for i, n in nodules.items()},
            "below": {i: a.gland_hu - a.nodule_hu for i, a in ct.items()},
            "edge": {i: a.edge_mm for i, a in ct.items()},
        }
    )
    assert shown["echo"].corr(truth["aggressiveness"]) < -0.6
    assert abs(shown["echo"].corr(spread)) < 0.1
    assert shown["below"].corr(spread) > 0.45
    assert shown["edge"].corr(spread) > 0.45
    assert abs(shown["edge"].corr(truth["aggressiveness"])) < 0.1


def test_without_signal_both_labels_depend_on_nothing():
    cases, truth = simulate_population("dgfnet", seed=2, signal=0.0)
    strong, _ = simulate_population("dgfnet", seed=2, signal=1.0)
    labels = ["label", "label_lateral"]
    pd.testing.assert_frame_equal(cases.drop(columns=labels), strong.drop(columns=labels))
    for site in ("", "_lateral"):
        assert truth.groupby(cases["split"])[f"probability{site}"].nunique().max() == 1
        positive = cases[f"label{site}"] == 1
        above = truth.loc[positive, ["aggressiveness", "spread"]] > 0
        for name in above:
            assert binomtest(int(above[name].sum()), len(above)).pvalue > 1e-3


@pytest.mark.parametrize("size", [0.05, 0.3])
def test_small_cohorts_have_positives_for_eight_folds(size):
    plan = split_plan("dgfnet", size)
    assert (plan["patients"] <= plan["n"]).all()
    assert plan.loc["training", ["positive", "positive_lateral"]].min() >= 20
    cases, _ = simulate_population("dgfnet", seed=0, signal=1.0, size=size)
    assert cases.groupby("split")["patient_id"].nunique().to_dict() == plan["patients"].to_dict()
    found = cases.groupby("split")["label_lateral"].sum()
    assert found.to_dict() == plan["positive_lateral"].to_dict()


def test_the_folder_has_no_problems_and_keeps_both_truths(cohort):
    assert check_cohort(cohort.root) == []
    assert set(cohort.cases["label_lateral"]) == {0, 1}
    names = {"probability", "probability_lateral", "spread", "ct_nodule_hu", "nodule_echo_db"}
    assert names <= set(cohort.truth)
    assert set(cohort.images["modality"]) == {"us", "ct"}
    assert set(cohort.images.loc[cohort.images["modality"] == "ct", "view"]) == {"axial"}
    for _, of_case in cohort.images.groupby("case_id"):
        assert set(of_case["modality"]) == {"us", "ct"}


def test_slices_are_read_in_hounsfield_units_with_their_spacing(tmp_path, population):
    cases, truth = population
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    few = {case_id: nodules[case_id] for case_id in cases.index[:2]}
    ct = {i: describe_attenuation(n, 0.0, n.seed) for i, n in few.items()}
    two = dict.fromkeys(few, 2)
    table = write_slices(tmp_path, few, ct, dict.fromkeys(few, "center_1"), two, n_jobs=1)
    assert len(table) == 4
    for row in table.itertuples():
        image = read_image(tmp_path / row.path)
        assert image.pixels.dtype == np.int16
        assert image.pixels.min() < -900
        assert image.spacing_mm == pytest.approx((row.spacing_y_mm, row.spacing_x_mm))
        assert 0.4 < row.spacing_x_mm < 0.6
        assert read_mask(tmp_path / row.mask_path).shape == image.pixels.shape
        assert (tmp_path / row.path).stat().st_size < 60_000


def test_a_model_with_ct_needs_the_factor_that_ct_shows():
    fields = population_model("dgfnet").model_dump()
    fields["factors"] = ("aggressiveness", "bulk")
    with pytest.raises(ValueError, match="spread"):
        type(population_model("dgfnet")).model_validate(fields)
