"""Every part measures with the smallest job and says what it did."""

import inspect
import json
from importlib import import_module

import numpy as np
import pytest

from benchmarks import __main__ as everything
from benchmarks import growth, radiomics_engine, results
from benchmarks.analysis import RADIUS_PX, SPACING_MM, habitats_by_pixel
from benchmarks.radiomics_peers import TOOLS, installed, nine_images
from lnm_kit.radiomics.habitats import local_region
from lnm_kit.regions.images import MaskedImage


def test_regions_are_of_the_sizes_that_the_goal_names():
    for pixels, mask in radiomics_engine.regions(3):
        assert pixels.shape == mask.shape == (224, 224)
        assert 2000 <= mask.sum() <= 9000


def test_peers_that_are_absent_are_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert dict(installed()) == dict.fromkeys(TOOLS)


@pytest.mark.filterwarnings("ignore")
def test_the_engine_is_measured_against_pyradiomics_and_against_who_is_there(monkeypatch):
    tools = {"nyxus": lambda images, mask: None, "mirp": None}
    monkeypatch.setattr(radiomics_engine, "installed", lambda: tools.items())
    monkeypatch.setattr(radiomics_engine, "quiet", lambda: None)
    rows = radiomics_engine.measure(n_regions=1, rounds=1, compiling=False)
    by_peer = {row["peer"]: row for row in rows}
    assert [row["what"] for row in rows[:2]] == [
        "851 features of a region",
        "837 features, no shape",
    ]
    assert by_peer["pyradiomics"]["ratio"] > 0
    assert by_peer["mirp"]["note"] == "not installed"
    assert "ratio" in by_peer["nyxus"]


def test_peers_get_the_original_and_eight_wavelet_images():
    pixels, _ = radiomics_engine.regions(1)[0]
    images = nine_images(pixels)
    assert images.shape == (9, 224, 224)
    assert (images[0] == pixels).all()


def test_streams_hold_few_images_whatever_their_number():
    found = growth.stream(6, workers=1)
    assert (found["images"], found["features"]) == (6, 6 * 851)
    assert found["peak_mb"] >= found["start_mb"] > 0
    assert found["processor_seconds"] > 0


def test_the_loop_over_pixels_measures_what_the_package_measures():
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 255, (24, 26)).astype(np.uint8)
    mask = np.hypot(*(np.mgrid[:24, :26] - 12)) < 8
    by_loop = habitats_by_pixel(gray, mask)
    image = MaskedImage(gray, mask, (SPACING_MM, SPACING_MM))
    found = local_region(image, radius_mm=RADIUS_PX * SPACING_MM, grid_mm=SPACING_MM)
    np.testing.assert_allclose(found.values[:, :3], by_loop, atol=1e-4)


def test_one_command_measures_the_parts_that_are_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(results.save, "__defaults__", (tmp_path / "speed.json",))
    monkeypatch.setattr(growth, "measure", lambda images, workers: [{"images": max(images)}])
    everything.main(["--only", "growth", "--long"])
    found = json.loads((tmp_path / "speed.json").read_text())
    assert found["growth"]["rows"] == [{"images": 100_000}]
    assert "## growth" in capsys.readouterr().out


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        everything.main(["--only", "speed"])
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["radiomics", "evaluation", "analysis", "simulation", "training"])
def test_a_part_named_on_the_command_line_can_be_measured_and_is_kept(part, monkeypatch):
    kept = []
    module = import_module(f"benchmarks.{everything.MODULES.get(part, part)}")
    # a measurement that needed arguments would fail here as it would in `make bench`
    unasked = inspect.signature(module.measure)
    monkeypatch.setattr(module, "measure", lambda: [unasked.bind()])
    monkeypatch.setattr(everything, "_keep", lambda *found: kept.append(found))
    everything.main(["--only", part])
    assert [found[0] for found in kept] == [part]
