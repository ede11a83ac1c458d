import numpy as np
import pandas as pd
import pytest

from lnm_kit.cohort import check_cohort, load_cohort, read_image
from lnm_kit.simulate import frames
from lnm_kit.simulate.cohort import simulate_cohort
from lnm_kit.simulate.frames import describe_nodules, draw_views, image_counts, write_frames
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.truth import oracle_auc
from lnm_kit.simulate.ultrasound import Frame

SIZE = 0.05
STUDIES = ["lvlnm", "clnm"]


def quick_render(nodule, scanner, *, plane, seed):
    """Noise that nodule, plane and seed determine, with a square nodule."""
    rng = np.random.default_rng([nodule.seed, seed, plane == "transverse"])
    mask = np.zeros((24, 32), dtype=bool)
    mask[8:16, 10:20] = True
    return Frame(rng.integers(1, 255, mask.shape, dtype=np.uint8), mask, (0.2, 0.2))


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """A small cohort of each study, with noise for frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(frames, "render", quick_render)
        yield {
            study: load_cohort(simulate_cohort(study, seed=4, signal=1.0, size=SIZE))
            for study in STUDIES
        }


@pytest.mark.parametrize("study", STUDIES)
def test_the_folder_has_no_problems_and_keeps_its_tables(cohorts, study):
    cohort = cohorts[study]
    assert check_cohort(cohort.root) == []
    cases, truth = simulate_population(study, seed=4, signal=1.0, size=SIZE)
    pd.testing.assert_frame_equal(cohort.cases, cases, check_dtype=False)
    pd.testing.assert_frame_equal(cohort.truth[truth.columns], truth, check_dtype=False)
    drawn = cohort.truth["nodule_diameter_mm"]
    np.testing.assert_allclose(drawn, 10 * cohort.cases["tumor_size_cm"])
    assert oracle_auc(cohort.cases, cohort.truth, "training") > 0.75
    assert "simulated" in cohort.info.name.lower()


def test_every_microcarcinoma_has_one_longitudinal_and_one_transverse_image(cohorts):
    images = cohorts["clnm"].images
    views = images.groupby("case_id")["view"].agg(list)
    assert all(sorted(of_case) == ["longitudinal", "transverse"] for of_case in views)
    assert len(views) == len(cohorts["clnm"].cases)


def test_patients_of_lvlnm_have_one_to_three_images_of_both_planes(cohorts):
    images = cohorts["lvlnm"].images
    counts = images.groupby("case_id").size()
    assert set(counts) == {1, 2, 3}
    assert set(images["view"]) == {"transverse", "longitudinal"}
    for case_id in counts.index[counts > 1]:
        of_case = images[images["case_id"] == case_id]
        assert of_case["view"].nunique() == 2
        pixels = {
            read_image(cohorts["lvlnm"].root / name).pixels.tobytes() for name in of_case["path"]
        }
        assert len(pixels) == len(of_case)


def test_all_images_of_a_patient_are_in_one_split(cohorts):
    for cohort in cohorts.values():
        split = cohort.images["case_id"].map(cohort.cases["split"])
        patient = cohort.images["case_id"].map(cohort.cases["patient_id"])
        assert (split.groupby(patient).nunique() == 1).all()


def test_the_images_of_internal_validation_are_as_many_as_the_paper_rates():
    cases, _ = simulate_population("lvlnm", seed=1, signal=1.0)
    views = draw_views(population_model("lvlnm"), cases["split"], seed=1)
    n_images = pd.Series({case_id: len(of_case) for case_id, of_case in views.items()})
    # 42 positive and 220 negative images of 150 patients
    assert n_images.groupby(cases["split"]).sum()["validation"] == 262
    for split, n in cases["split"].value_counts().items():
        expected = image_counts(population_model("lvlnm"), int(n))
        found = n_images[cases["split"] == split].value_counts()
        assert found.reindex(list(expected)).to_dict() == expected


def test_number_and_planes_know_nothing_of_the_label():
    cases, truth = simulate_population("lvlnm", seed=1, signal=1.0, size=4)
    views = draw_views(population_model("lvlnm"), cases["split"], seed=1)
    n_images = pd.Series({case_id: len(of_case) for case_id, of_case in views.items()})
    first = pd.Series({case_id: of_case[0] == "transverse" for case_id, of_case in views.items()})
    near = 4 / np.sqrt(len(cases))
    assert n_images.corr(truth["aggressiveness"]) == pytest.approx(0, abs=near)
    assert n_images.corr(cases["label"]) == pytest.approx(0, abs=near)
    assert first.mean() == pytest.approx(0.5, abs=near)
    assert first.corr(cases["label"]) == pytest.approx(0, abs=near)
    again = draw_views(population_model("lvlnm"), cases["split"], seed=1)
    other = draw_views(population_model("lvlnm"), cases["split"], seed=2)
    assert views == again != other


def test_a_plane_that_comes_again_is_another_frame_of_the_same_cut(tmp_path):
    cases, truth = simulate_population("clnm", seed=3, signal=1.0, size=SIZE)
    one = cases.head(1)
    nodules = describe_nodules(one, truth["aggressiveness"], seed=3)
    case_id = one.index[0]
    views = {case_id: ("transverse", "longitudinal", "transverse")}
    table = write_frames(tmp_path, nodules, one["center"].to_dict(), views, n_jobs=1)
    assert list(table.index) == [
        f"{case_id}-transverse",
        f"{case_id}-longitudinal",
        f"{case_id}-transverse-2",
    ]
    first, _, again = (read_image(tmp_path / name).pixels for name in table["path"])
    assert first.shape != again.shape or (first != again).mean() > 0.5
    areas = [np.count_nonzero(read_image(tmp_path / name).pixels) for name in table["mask_path"]]
    assert areas[0] == pytest.approx(areas[2], rel=0.02)
