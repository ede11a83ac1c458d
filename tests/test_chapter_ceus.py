"""What the chapter on contrast-enhanced ultrasound says to cohorts that lack something."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lnm_kit.cohort import load_cohort
from lnm_kit.errors import InputError
from lnm_kit.simulate import clips, frames
from lnm_kit.simulate.ceus import ContrastFrames
from lnm_kit.simulate.cohort import copy_cohort, simulate_cohort
from lnm_kit.simulate.ultrasound import Frame
from lnm_kit.training import open_fabric
from lnm_kit.training.model_prediction import predict_cohort
from tests.chapters import (
    change,
    check_predictions,
    kept_models,
    positives_kept,
    refusal,
    run_chapter,
    text_of,
)

MASK = np.pad(np.ones((16, 20), dtype=bool), 8)


def quick_render(nodule, scanner, *, plane, seed):
    pixels = np.random.default_rng(seed).integers(1, 255, MASK.shape, dtype=np.uint8)
    return Frame(pixels, MASK, (0.3, 0.3))


def quick_ceus(nodule, perfusion, *, plane, seed, time_s, reduction=1):
    shape = (len(time_s), *MASK.shape)
    levels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return ContrastFrames(levels, MASK, tuple(map(float, time_s)), (0.3, 0.3))


@pytest.fixture(scope="module")
def smallest(tmp_path_factory):
    """The smallest simulated cohort, with noise for frames: nothing is learned from it here."""
    place = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNM_CACHE", str(place / "cache"))
        patch.setattr(frames, "render", quick_render)
        patch.setattr(clips, "render_ceus", quick_ceus)
        copy_cohort(simulate_cohort("ceus", seed=0, signal=1.0, size=0.1), place / "cohort")
    return place / "cohort"


@pytest.fixture
def cohort(smallest, tmp_path):
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(smallest, tmp_path / "cohort"))


def repaint(path: Path, how) -> None:
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB"))
    Image.fromarray(how(pixels)).save(path)


def test_images_that_are_no_pair_are_refused_with_their_cases(cohort):
    def spoil(images):
        frame = images.image_id == "sim-ceus-0003-ceus"
        images.loc[frame, "view"] = "longitudinal"
        again = images[images.image_id == "sim-ceus-0002-ceus"].assign(image_id="again")
        return pd.concat([images, again])

    change(cohort / "images.csv", spoil)
    message = refusal("ceus", cohort)
    assert "several contrast-enhanced frames: sim-ceus-0002" in message
    assert "of different planes: sim-ceus-0003" in message


def test_gray_frames_and_colored_b_mode_are_refused_with_their_cases(cohort):
    gray, colored = cohort / "images/sim-ceus-0001-ceus.png", "sim-ceus-0004-transverse.png"
    repaint(gray, lambda pixels: pixels.mean(axis=-1).astype(np.uint8))
    repaint(cohort / "images" / colored, lambda pixels: pixels // np.array([1, 2, 4], np.uint8))
    message = refusal("ceus", cohort)
    assert "sim-ceus-0001: images/sim-ceus-0001-ceus.png is gray" in message
    assert f"sim-ceus-0004: images/{colored} is in color" in message
    assert "sim-ceus-0002:" not in message


def test_a_training_split_that_nothing_can_be_learned_from_is_refused(cohort):
    change(cohort / "cases.csv", lambda cases: positives_kept(cases, "training", 3))
    assert "the training split holds 3 cases of its rarer class" in refusal("ceus", cohort)


def test_it_goes_on_without_frames_clips_the_reading_and_a_class_and_says_so(cohort):
    def fewer(images):
        lost = images.image_id.isin(["sim-ceus-0002-ceus", "sim-ceus-0005-ceus"])
        return images[~lost & (images.time_s == "")]

    change(cohort / "images.csv", fewer)
    change(
        cohort / "cases.csv",
        lambda cases: positives_kept(cases, "test", 0).drop(columns="us_lnm"),
    )
    first_of_test = pd.read_csv(cohort / "cases.csv").query("split == 'test'").case_id.iloc[0]
    parts = ("compared_epochs", "longer_epochs", "dropout_repeats", "null_epochs")
    run = run_chapter("ceus", cohort.parent, f"cohort={cohort}", *(f"{part}=0" for part in parts))
    text = text_of(run)
    assert "no contrast-enhanced frame: sim-ceus-0002, sim-ceus-0005" in text
    assert "`us_lnm` is missing" in text
    assert f"it is left out: {first_of_test}" in text
    assert "The sections on the clip are left out" in text
    for part in ("compared_epochs", "dropout_repeats", "null_epochs"):
        assert f"`{part}` is 0" in text
    metrics = pd.read_json(run / "metrics.json")
    assert set(metrics.split) <= {"training", "validation", "outside"}
    assert not metrics.model.str.contains("US-LNM|Triple|Curve").any()

    # what it keeps is the model of the two modalities that there are, of the complete cases
    models = kept_models(run)
    assert set(models) == {"Dual-modality"}
    model = models["Dual-modality"]
    assert (
        sum(split.cases for split in model.card.splits)
        == len(pd.read_csv(cohort / "cases.csv")) - 2
    )
    assert {row.split for row in model.card.metrics} == {"validation"}
    with pytest.raises(InputError) as caught:
        predict_cohort(model, load_cohort(cohort), fabric=open_fabric())
    assert "time_s): sim-ceus-0002, sim-ceus-0005\n" in str(caught.value)
    lost = ["sim-ceus-0002", "sim-ceus-0005"]
    for table in ("cases.csv", "images.csv", "truth.csv"):
        change(cohort / table, lambda rows: rows[~rows.case_id.isin(lost)])
    assert check_predictions(model, load_cohort(cohort), run) > 10
