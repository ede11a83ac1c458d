"""Simulated CEUS cohorts: patients, files, and what each modality tells."""

import numpy as np
import pandas as pd
import pytest

from lnm_kit.cohort import check_cohort, load_cohort, read_image, read_mask
from lnm_kit.published import published_counts, published_quartiles
from lnm_kit.simulate import clips, frames
from lnm_kit.simulate.calibration import verify
from lnm_kit.simulate.ceus import ContrastFrames
from lnm_kit.simulate.clips import CLIP_TIMES_S, write_clips
from lnm_kit.simulate.cohort import simulate_cohort
from lnm_kit.simulate.frames import describe_nodules
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.perfusion import describe_perfusion
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.truth import oracle_auc
from lnm_kit.simulate.ultrasound import Frame

SPLITS = ["training", "validation", "test"]


def quick_render(nodule, scanner, *, plane, seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((24, 32), dtype=bool)
    mask[8:16, 10:20] = True
    return Frame(rng.integers(1, 255, mask.shape, dtype=np.uint8), mask, (0.2, 0.1))


def quick_ceus(nodule, perfusion, *, plane, seed, time_s, reduction=1):
    rng = np.random.default_rng([seed, reduction])
    mask = np.zeros((24 // reduction, 32 // reduction), dtype=bool)
    mask[4:8, 5:10] = True
    levels = rng.integers(0, 256, (len(time_s), *mask.shape), dtype=np.uint8)
    return ContrastFrames(levels, mask, tuple(map(float, time_s)), (0.2, 0.1))


@pytest.fixture(scope="module")
def population():
    return simulate_population("ceus", seed=11, signal=1.0)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A small cohort with noise for frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(frames, "render", quick_render)
        patch.setattr(clips, "render_ceus", quick_ceus)
        yield load_cohort(simulate_cohort("ceus", seed=4, signal=1.0, size=0.05))


def test_splits_have_their_nodules_and_positives(population):
    cases, truth = population
    found = cases.groupby("split", sort=False)["label"].agg(n="size", positive="sum")
    assert list(found.index) == SPLITS
    assert found["n"].to_list() == [196, 50, 62]
    assert found["positive"].to_list() == [100, 26, 32]
    assert truth["probability"].sum() == pytest.approx(158, abs=1e-6)


@pytest.mark.parametrize("column", ["sex", "side", "us_lnm"])
def test_development_and_test_have_the_published_counts(population, column):
    cases, _ = population
    for chosen, split in ((SPLITS[:2], "training"), (SPLITS[2:], "test")):
        found = cases.loc[cases["split"].isin(chosen), column].astype(str).value_counts()
        expected = published_counts("ceus", column, split)
        assert found.reindex(list(expected)).to_dict() == expected


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("column", "near"), [("age_years", 1.0), ("tumor_size_cm", 0.03)])
def test_quartiles_are_the_published_ones(population, column, near, split):
    cases, _ = population
    found = cases.loc[cases["split"] == split, column].quantile([0.25, 0.5, 0.75])
    printed = published_quartiles("ceus", column, split)
    expected = [printed.first.value, printed.median.value, printed.third.value]
    assert found.to_list() == pytest.approx(expected, abs=near)


def test_the_reading_of_the_neck_has_the_printed_sensitivity_and_specificity():
    rates = []
    for seed in range(15):
        cases, _ = simulate_population("ceus", seed=seed, signal=1.0)
        rates.append(cases.groupby("label")["us_lnm"].mean())
    missed, found = pd.DataFrame(rates).mean()
    assert found == pytest.approx(0.386, abs=0.03)
    assert 1 - missed == pytest.approx(0.900, abs=0.02)


def test_without_signal_the_reading_and_the_latent_guess():
    found = []
    for seed in range(12):
        cases, truth = simulate_population("ceus", seed=seed, signal=0.0)
        positive = cases["label"] == 1
        found.append(
            [
                cases.loc[positive, "us_lnm"].mean() - cases.loc[~positive, "us_lnm"].mean(),
                truth.loc[positive, "aggressiveness"].mean()
                - truth.loc[~positive, "aggressiveness"].mean(),
            ]
        )
        assert truth.groupby(cases["split"])["probability"].nunique().max() == 1
    reading, latent = np.mean(found, axis=0)
    assert reading == pytest.approx(0, abs=0.05)
    assert latent == pytest.approx(0, abs=0.11)


def test_the_stored_constants_imply_what_the_specification_says():
    model = population_model("ceus")
    implied = verify(model, n=40_000, seed=77)
    assert implied.auc_oracle == pytest.approx(0.918, abs=0.006)
    assert implied.auc_aggressiveness == pytest.approx(0.86, abs=0.006)
    assert implied.regression["us_lnm=1"] == pytest.approx(1.733, abs=0.1)


def test_the_folder_has_no_problems_and_keeps_the_known_curves(cohort):
    assert check_cohort(cohort.root) == []
    assert oracle_auc(cohort.cases, cohort.truth, "training") > 0.8
    for case_id in cohort.cases.index[:5]:
        row = cohort.truth.loc[case_id]
        assert row["ceus_nodule_peak_time_s"] == pytest.approx(
            row["ceus_nodule_arrival_s"] + row["ceus_nodule_rise_s"]
        )
        assert abs(row["ceus_frame_s"] - row["ceus_gland_peak_time_s"]) < 4.2
        assert row["ceus_pattern"] in ("hypo", "iso", "hyper")


def test_b_mode_images_show_the_aggressiveness_as_strongly_as_the_study_says(cohort):
    model, truth = population_model("ceus"), cohort.truth
    assert model.b_mode_strength > population_model("llnm").b_mode_strength == 1
    shown = model.b_mode_strength * truth["aggressiveness"]
    nodules = describe_nodules(cohort.cases.join(truth), shown, seed=4)
    drawn = [nodules[case_id].echo_db for case_id in truth.index]
    assert truth["nodule_echo_db"].to_list() == pytest.approx(drawn)


def test_every_nodule_has_a_frame_of_each_kind_and_a_clip(cohort):
    images = cohort.images
    clip = images["time_s"].notna()
    assert set(images.loc[clip, "modality"]) == {"ceus"}
    for case_id in cohort.cases.index:
        of_case = images[images["case_id"] == case_id]
        assert of_case.loc[~clip, "modality"].to_list() == ["us", "ceus"]
        assert of_case.loc[clip, "time_s"].to_list() == list(CLIP_TIMES_S)
        assert of_case.loc[clip, "mask_path"].nunique() == 1


def test_contrast_frames_are_read_in_color(cohort):
    still = cohort.images[cohort.images["modality"] == "ceus"].iloc[0]
    assert read_image(cohort.root / still["path"]).pixels.shape == (24, 32, 3)


def test_left_and_right_lobes_have_their_vessels_on_their_sides(population):
    cases, truth = population
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    sides = pd.Series({case_id: nodule.side for case_id, nodule in nodules.items()})
    assert sides.map({1: "left", -1: "right", 0: "isthmus"}).equals(cases["side"].rename(None))
    isthmic = [nodules[case_id].location for case_id in cases.index[cases["side"] == "isthmus"]]
    assert set(isthmic) == {"isthmus"}


def test_rendered_files_are_small_and_of_one_cut(tmp_path, population):
    cases, truth = population
    nodules = describe_nodules(cases.join(truth), truth["aggressiveness"], seed=11)
    few = {case_id: nodules[case_id] for case_id in cases.index[:2]}
    perfusions = {case_id: describe_perfusion(0.0, few[case_id].seed) for case_id in few}
    table = write_clips(tmp_path, few, perfusions, n_jobs=1)
    assert len(table) == 2 * (1 + len(CLIP_TIMES_S))
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.png")) / 2
    # with the B-mode frame (90 kB) below 250 MB for 308 nodules
    assert size + 90_000 < 250e6 / 308
    for path, mask_path in table[["path", "mask_path"]].drop_duplicates().to_numpy():
        pixels, mask = read_image(tmp_path / path).pixels, read_mask(tmp_path / mask_path)
        assert pixels.shape == (*mask.shape, 3)


def test_peak_and_timing_each_add_to_what_a_b_mode_image_tells():
    """On the drawn phenotypes: B-mode, then the contrast peak, then the clip's timing."""
    cases, truth = simulate_population("ceus", seed=2, signal=1.0, size=6)
    shown = population_model("ceus").b_mode_strength * truth["aggressiveness"]
    nodules = describe_nodules(cases.join(truth), shown, seed=2)
    z = truth["aggressiveness"].to_numpy()
    seeds = [nodule.seed for nodule in nodules.values()]
    flow = [describe_perfusion(value, seed) for value, seed in zip(z, seeds, strict=True)]
    b_mode = [[n.echo_db, np.log(n.irregularity), n.heterogeneity] for n in nodules.values()]
    peak = [[p.nodule.peak_db, np.log(p.heterogeneity_db)] for p in flow]
    timing = [
        [p.nodule.arrival_s - p.gland.arrival_s, p.nodule.half_s / p.gland.half_s] for p in flow
    ]

    def left(*parts):
        design = np.column_stack([np.ones(len(z)), *map(np.array, parts)])
        rest = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
        return rest.var() / z.var()

    # each takes away a tenth or more of what the others leave unexplained
    assert left(b_mode, peak) < 0.75 * left(b_mode)
    assert left(peak, b_mode) < 0.75 * left(peak)
    assert left(b_mode, peak, timing) < 0.9 * left(b_mode, peak)
    assert left(peak, timing) < 0.8 * left(peak)
