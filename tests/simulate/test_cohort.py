from collections import namedtuple

import numpy as np
import pandas as pd
import pytest

from lnm_kit.cohort import check_cohort, load_cohort, read_image, read_mask
from lnm_kit.errors import InputError
from lnm_kit.simulate import cohort as module
from lnm_kit.simulate import frames
from lnm_kit.simulate.cohort import copy_cohort, require_space, simulate_cohort
from lnm_kit.simulate.frames import describe_nodules, write_frames
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.truth import oracle_auc
from lnm_kit.simulate.ultrasound import Frame, render

SIZE = 0.05


def quick_render(nodule, scanner, *, plane, seed):
    """A frame of noise with a square nodule: a cohort of hundreds in a second."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((24, 32), dtype=bool)
    mask[8:16, 10:20] = True
    return Frame(rng.integers(1, 255, mask.shape, dtype=np.uint8), mask, (0.2, 0.1))


@pytest.fixture(scope="module")
def quick_cohorts(tmp_path_factory):
    """The folders at signal 1 and at signal 0, with noise for frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(frames, "render", quick_render)
        yield {
            signal: simulate_cohort("llnm", seed=4, signal=signal, size=SIZE)
            for signal in (1.0, 0.0)
        }


def test_a_simulated_cohort_is_a_cohort_without_problems(quick_cohorts):
    for folder in quick_cohorts.values():
        assert check_cohort(folder) == []


def test_it_says_that_it_is_simulated(quick_cohorts):
    info = load_cohort(quick_cohorts[1.0]).info
    assert info.simulated
    assert (info.seed, info.signal) == (4, 1.0)
    for text in (info.name, info.source):
        assert "simulated" in text.lower()
    assert "simulated = true" in (quick_cohorts[1.0] / "cohort.toml").read_text()


def test_tables_come_back_as_they_were_drawn(quick_cohorts):
    cohort = load_cohort(quick_cohorts[1.0])
    cases, truth = simulate_population("llnm", seed=4, signal=1.0, size=SIZE)
    pd.testing.assert_frame_equal(cohort.cases, cases, check_dtype=False)
    pd.testing.assert_frame_equal(cohort.truth[truth.columns], truth, check_dtype=False)
    drawn = cohort.truth["nodule_diameter_mm"]
    np.testing.assert_allclose(drawn, 10 * cohort.cases["tumor_size_cm"])
    assert oracle_auc(cohort.cases, cohort.truth, "training") > 0.85


def test_every_case_has_one_transverse_image_with_spacing_and_mask(quick_cohorts):
    cohort = load_cohort(quick_cohorts[1.0])
    assert cohort.images["case_id"].to_list() == cohort.cases.index.to_list()
    assert set(cohort.images["view"]) == {"transverse"}
    assert set(cohort.images["modality"]) == {"us"}
    row = cohort.images.iloc[0]
    image = read_image(cohort.root / row["path"])
    mask = read_mask(cohort.root / row["mask_path"])
    assert image.pixels.dtype == np.uint8
    assert mask.shape == image.pixels.shape == (24, 32)
    assert mask.sum() == 80
    assert (row["spacing_x_mm"], row["spacing_y_mm"]) == (0.1, 0.2)


def test_cohorts_of_another_signal_share_patients_and_frames(quick_cohorts):
    strong, null = (load_cohort(quick_cohorts[signal]) for signal in (1.0, 0.0))
    pd.testing.assert_frame_equal(
        strong.cases.drop(columns="label"), null.cases.drop(columns="label")
    )
    assert not strong.cases["label"].equals(null.cases["label"])
    for name in strong.images["path"][:5]:
        assert (strong.root / name).read_bytes() == (null.root / name).read_bytes()
    assert len(list(strong.root.parent.parent.glob("simulated-frames/*"))) == 1
    assert strong.digest() != null.digest()


def test_a_second_call_renders_nothing(quick_cohorts, monkeypatch):
    monkeypatch.setattr(frames, "render", None)
    again = simulate_cohort("llnm", seed=4, signal=1.0, size=SIZE)
    assert again == quick_cohorts[1.0]


def test_a_failed_rendering_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no speckle today")

    monkeypatch.setenv("LNM_CACHE", str(tmp_path))
    monkeypatch.setattr(frames, "render", fail)
    with pytest.raises(RuntimeError, match="no speckle"):
        simulate_cohort("llnm", seed=4, signal=1.0, size=SIZE)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_wrong_arguments_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="signal is 9"):
        simulate_cohort("llnm", seed=4, signal=9, size=SIZE)
    assert not (tmp_path / "cache").exists()


def test_copies_are_whole_and_overwrite_nothing(quick_cohorts, tmp_path):
    copy_cohort(quick_cohorts[1.0], tmp_path / "mine")
    assert load_cohort(tmp_path / "mine").digest() == load_cohort(quick_cohorts[1.0]).digest()
    assert not list((tmp_path / "mine").glob(".*"))
    with pytest.raises(InputError, match="not overwritten"):
        copy_cohort(quick_cohorts[0.0], tmp_path / "mine")
    assert load_cohort(tmp_path / "mine").info.signal == 1.0


@pytest.mark.parametrize(
    ("study", "needed"),
    # 1,566 images; 612 + 262 + 620 images; two of each of 461 nodules; 308 frames, stills and
    # clips; 3,522 and 7,649 images, and those of 60 external nodules
    [("llnm", 235), ("lvlnm", 224), ("clnm", 138), ("ceus", 277), ("dgfnet", 1033)],
)
def test_a_full_disk_is_told_beforehand(study, needed, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(InputError, match=f"needs about {needed} MB, the disk has 1 MB free"):
        require_space(tmp_path / "not" / "yet", study, 1.0)


def test_real_frames_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "render", render)
    cases, truth = simulate_population("llnm", seed=9, signal=1.0, size=SIZE)
    few = cases.groupby("center").head(1)
    nodules = describe_nodules(few, truth["aggressiveness"], seed=9)
    centers = few["center"].to_dict()
    tables = []
    both = ("transverse", "longitudinal")
    for n_jobs in (1, 2):
        folder = tmp_path / str(n_jobs)
        folder.mkdir()
        tables.append(
            write_frames(folder, nodules, centers, dict.fromkeys(nodules, both), n_jobs=n_jobs)
        )
    pd.testing.assert_frame_equal(*tables)
    contents = [
        {name: (tmp_path / str(n_jobs) / name).read_bytes() for name in tables[0]["path"]}
        for n_jobs in (1, 2)
    ]
    assert contents[0] == contents[1]
    assert len(set(contents[0].values())) == 2 * len(few)
    pixels = read_image(tmp_path / "1" / tables[0]["path"].iloc[0]).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] > 200
