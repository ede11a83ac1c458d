import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from lnm_kit.cohort import Cohort, CohortInfo, import_ddti, load_cohort, write_cohort
from lnm_kit.errors import InputError
from lnm_kit.radiomics import extraction
from lnm_kit.radiomics.extraction import (
    count_by_class,
    extract_features,
    perturbed_features,
)
from lnm_kit.radiomics.region import region_features
from lnm_kit.regions.images import MaskedImage, read_masked_image

INFO = CohortInfo(
    name="blobs",
    endpoint="none",
    positive="nothing",
    source="drawn by a test",
    licence="CC0",
    simulated=False,
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_cohort(root: Path, spacings: list[float | None], radius: int = 9) -> Cohort:
    rng = np.random.default_rng(0)
    root.mkdir()
    rows, columns = np.mgrid[:50, :60]
    cases, images = [], []
    for number, spacing in enumerate(spacings):
        gray = 120 + 60 * gaussian_filter(rng.normal(size=rows.shape), 1)
        mask = np.hypot(rows - 25, columns - 30) < radius + number
        Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8)).save(root / f"i{number}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(root / f"m{number}.png")
        split = "training" if number < 2 else "test"
        cases.append((f"c{number}", f"p{number}", "a", split, number % 2))
        paths = (f"i{number}.png", f"m{number}.png")
        images.append(
            (f"i{9 - number}", f"c{number}", "us", "transverse", *paths, spacing, spacing)
        )
    case_columns = ["case_id", "patient_id", "center", "split", "label"]
    image_columns = ["image_id", "case_id", "modality", "view", "path", "mask_path"]
    image_columns += ["spacing_x_mm", "spacing_y_mm"]
    return write_cohort(
        root,
        INFO,
        pd.DataFrame(cases, columns=case_columns),
        pd.DataFrame(images, columns=image_columns),
    )


def test_rows_follow_the_images_and_hold_the_features_of_each_region(tmp_path):
    cohort = make_cohort(tmp_path / "cohort", [0.2, 0.2, 0.2])
    features = extract_features(cohort, spacing_mm=0.3)
    assert features.index.tolist() == cohort.images.index.tolist()
    assert features.index.name == "image_id"
    assert features.shape == (3, 454)
    assert np.isfinite(features.to_numpy()).all()
    row = cohort.images.iloc[1]
    alone = region_features(read_masked_image(cohort.root, row), spacing_mm=0.3)
    assert features.iloc[1].to_dict() == alone


def test_processes_do_not_change_the_features(tmp_path, monkeypatch):
    cohort = make_cohort(tmp_path / "cohort", [0.2, 0.2, 0.2])
    one = extract_features(cohort, spacing_mm=None)
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "other"))
    two = extract_features(cohort, spacing_mm=None, n_jobs=2)
    pd.testing.assert_frame_equal(one, two)


def test_a_second_call_reads_and_other_settings_or_pixels_compute(tmp_path, monkeypatch):
    cohort = make_cohort(tmp_path / "cohort", [0.2, None, 0.2])
    calls = []
    real = extraction.region_features

    def counted(image, **settings):
        calls.append(settings["bin_count"])
        return real(image, **settings)

    monkeypatch.setattr(extraction, "region_features", counted)
    first = extract_features(cohort, spacing_mm=None, image_types=("Original",))
    second = extract_features(cohort, spacing_mm=None, image_types=("Original",), n_jobs=1)
    assert len(calls) == 3
    pd.testing.assert_frame_equal(first, second)
    assert first.attrs == second.attrs
    extract_features(cohort, spacing_mm=None, image_types=("Original",), bin_count=32)
    assert len(calls) == 6
    pixels = np.array(Image.open(cohort.root / "i0.png"))
    Image.fromarray(pixels // 2).save(cohort.root / "i0.png")
    extract_features(cohort, spacing_mm=None, image_types=("Original",))
    assert len(calls) == 9


def test_the_counts_per_class_are_the_papers_when_the_residue_is_kept(tmp_path):
    cohort = make_cohort(tmp_path / "cohort", [0.2, 0.2, 0.2])
    every = extract_features(cohort, spacing_mm=None, keep_residue=True)
    printed = {"firstorder": 162, "shape": 14, "glcm": 216, "glrlm": 144, "glszm": 144, "gldm": 126}
    assert count_by_class(every).to_dict() == printed | {"total": sum(printed.values())}
    assert every.attrs["residue_left_out"] == 0
    usual = extract_features(cohort, spacing_mm=None)
    assert usual.attrs["residue_left_out"] == len(every.columns) - len(usual.columns) == 352


def test_images_without_spacing_are_named_and_stay_in_pixels(tmp_path, caplog):
    cohort = make_cohort(tmp_path / "cohort", [0.2, None, 0.2])
    with caplog.at_level(logging.INFO, logger="lnm_kit"):
        features = extract_features(cohort, spacing_mm=0.4, image_types=("Original",))
    assert features.attrs["in_pixels"] == ["i8"]
    assert "1 of 3 images have no known spacing" in caplog.text
    assert "do not mix" in caplog.text
    axis = features["original_shape_MajorAxisLength"]
    assert axis["i9"] == pytest.approx(18 * 0.2, rel=0.1)
    assert axis["i8"] == pytest.approx(20, rel=0.1)


def test_every_region_that_is_too_small_is_listed_and_nothing_is_kept(tmp_path, own_cache):
    cohort = make_cohort(tmp_path / "cohort", [0.1, 0.1, 0.1], radius=8)
    with pytest.raises(InputError) as raised:
        extract_features(cohort, spacing_mm=2.0)
    lines = str(raised.value).splitlines()
    assert lines[0] == "3 of 3 images give no features:"
    assert [line.split(":")[0] for line in lines[1:]] == ["i9", "i8", "i7"]
    assert not list(own_cache.rglob("*.parquet"))


def test_settings_are_checked_before_any_image_is_read(tmp_path):
    cohort = make_cohort(tmp_path / "cohort", [0.1, 0.1, 0.1])
    with pytest.raises(InputError, match="bin_count"):
        extract_features(cohort, spacing_mm=None, bin_count=0)


def test_real_frames_give_finite_features_in_pixels(ddti_source, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for number in range(2, 32):
        for path in ddti_source.glob(f"{number}*.*"):
            if path.stem.split("_")[0] == str(number):
                (few / path.name).write_bytes(path.read_bytes())
    import_ddti(few, tmp_path / "ddti")
    cohort = load_cohort(tmp_path / "ddti")
    features = extract_features(cohort, spacing_mm=1.0, image_types=("Original",))
    assert len(features) == len(cohort.images) > 5
    assert features.attrs["in_pixels"] == cohort.images.index.tolist()
    assert np.isfinite(features.to_numpy()).all()


def test_nothing_done_to_the_images_gives_their_own_features(tmp_path):
    cohort = make_cohort(tmp_path / "c", [0.5, 0.5, 0.5])
    plain = extract_features(cohort, spacing_mm=0.5, image_types=("Original",))
    chosen = list(cohort.images.index[[2, 0]])
    again = perturbed_features(
        cohort,
        chosen,
        lambda image, _rng: image,
        seed=0,
        spacing_mm=0.5,
        image_types=("Original",),
    )
    pd.testing.assert_frame_equal(again, plain.loc[chosen])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_image_is_perturbed_by_a_generator_of_its_own(tmp_path, n_jobs):
    cohort = make_cohort(tmp_path / "c", [0.5, 0.5, 0.5])

    def brighter(image, rng):
        gray = np.minimum(image.gray, 200) + rng.integers(1, 50, dtype=np.uint8)
        return MaskedImage(gray, image.mask, image.spacing_mm)

    def means(seed):
        table = perturbed_features(
            cohort,
            list(cohort.images.index),
            brighter,
            seed=seed,
            spacing_mm=None,
            image_types=("Original",),
            n_jobs=n_jobs,
        )
        return table["original_firstorder_Mean"].to_numpy()

    plain = extract_features(cohort, spacing_mm=None, image_types=("Original",))
    moved = means(3) - plain["original_firstorder_Mean"].to_numpy()
    steps = [np.random.default_rng([3, i]).integers(1, 50, dtype=np.uint8) for i in range(3)]
    # gray levels 0 to 255 are scaled to -1 to 1
    np.testing.assert_allclose(moved, np.array(steps) * 2 / 255, atol=1e-6)
    assert (means(3) == means(3)).all()
    assert (means(4) != means(3)).any()


@pytest.mark.parametrize("wanted", [[], ["nobody"]])
def test_images_that_are_not_there_are_named(tmp_path, wanted):
    cohort = make_cohort(tmp_path / "c", [0.5, 0.5, 0.5])
    with pytest.raises(InputError, match=r"image_ids holds .* which the cohort does not have"):
        perturbed_features(cohort, wanted, lambda image, _: image, seed=0, spacing_mm=None)
