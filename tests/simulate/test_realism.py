import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from lnm_kit.errors import InputError
from lnm_kit.simulate.ddti_frames import RealFrame, half_of, read_frames
from lnm_kit.simulate.ddti_like import region_features, simulated_frame
from lnm_kit.simulate.realism import (
    compare_regions,
    compare_with_summary,
    judge,
    judge_realism,
    load_result,
    load_summary,
    simulated_regions,
    summarize_ddti,
)
from lnm_kit.simulate.realism_commands import realism_command
from lnm_kit.simulate.texture_features import homogeneous_patches, nodule_crop, texture_features

NO_SEAM = np.array([], dtype=np.int64)


def table(rng, n, shift=0.0):
    values = rng.standard_normal((n, 6)) + shift
    return pd.DataFrame(values, columns=list("abcdef"), index=np.arange(n) // 2)


def test_judge_is_at_chance_on_one_distribution_and_right_on_two():
    rng = np.random.default_rng(0)
    assert 0.42 < judge(table(rng, 300), table(rng, 300)) < 0.58
    assert judge(table(rng, 300), table(rng, 300, shift=2.0)) > 0.99


def test_judge_does_not_learn_patients():
    # Rows of one patient are copies: a judge that saw the twin in training would be right.
    rng = np.random.default_rng(1)
    real, simulated = table(rng, 150), table(rng, 150)
    twice = pd.concat([real, real]), pd.concat([simulated, simulated])
    assert 0.35 < judge(*twice) < 0.65


def test_distances_of_known_distributions():
    rng = np.random.default_rng(2)
    found = compare_regions(table(rng, 2000), table(rng, 2000, shift=1.0))
    # Two unit normals one apart: D = 2 Phi(1/2) - 1 = 0.383.
    assert found.ks_median == pytest.approx(0.383, abs=0.03)
    # P(|Z + 1| < 2.326) = 0.907.
    assert found.inside == pytest.approx(0.907, abs=0.02)
    assert (found.n_real, found.n_simulated) == (2000, 2000)


@pytest.fixture(scope="module")
def frames():
    return [simulated_frame(seed) for seed in range(6)]


def test_crop_brings_every_nodule_to_one_size(frames):
    for frame in frames:
        pixels, mask = nodule_crop(frame.pixels, frame.masks[0])
        rows, columns = np.nonzero(mask)
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert longest == pytest.approx(112 / 1.12 + 10, abs=4)
        assert pixels.shape == mask.shape
        assert max(pixels.shape) <= 113


def test_features_are_pyradiomics_own(frames):
    import SimpleITK
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    pixels, mask = nodule_crop(frames[0].pixels, frames[0].masks[0])
    extractor = RadiomicsFeatureExtractor(binCount=25)
    extractor.disableAllFeatures()
    for family in ("firstorder", "glcm", "glrlm", "glszm", "ngtdm"):
        extractor.enableFeatureClassByName(family)
    found = extractor.execute(
        SimpleITK.GetImageFromArray(pixels[None].astype(np.float32)),
        SimpleITK.GetImageFromArray(mask[None].astype(np.uint8)),
    )
    own = texture_features(pixels, mask)
    assert len(own) == 78
    for name, value in own.items():
        assert value == pytest.approx(float(found[f"original_{name}"]), rel=1e-9), name


def test_patches_avoid_nodules_and_seams(frames):
    count = 0
    for frame in frames:
        marked = frame.pixels.copy()
        marked[frame.masks[0]] = 1
        for patch in homogeneous_patches(marked, frame.masks, NO_SEAM):
            assert patch.shape == (64, 64)
            assert 35 <= patch.mean() <= 150
            assert (patch == 1).mean() < 0.01
            count += 1
    assert count > 5
    everywhere = np.arange(0, 450, 20)
    assert not homogeneous_patches(frames[0].pixels, frames[0].masks, everywhere)


def test_uneven_frames_give_no_patch():
    blocks = np.kron(np.indices((10, 13)).sum(axis=0) % 2, np.ones((32, 32)))
    uneven = (50 + 80 * blocks).astype(np.uint8)
    assert homogeneous_patches(uneven, [], NO_SEAM) == []
    assert len(homogeneous_patches(np.full_like(uneven, 90), [], NO_SEAM)) == 3


def test_simulated_regions_are_reproducible_and_compare_with_the_table():
    regions = simulated_regions(12, seed=3)
    again = simulated_regions(12, seed=3)
    pd.testing.assert_frame_equal(regions["nodule"], again["nodule"])
    found = compare_with_summary(regions["nodule"], region="nodule")
    assert len(found) == 78
    assert found["inside"].mean() > 0.85
    assert found["ks"].between(0, 1).all()
    shifted = regions["nodule"] * 10
    assert compare_with_summary(shifted, region="nodule")["inside"].mean() < 0.5


def test_unknown_features_are_named():
    with pytest.raises(InputError, match="wavelet_x"):
        compare_with_summary(pd.DataFrame({"wavelet_x": [1.0]}), region="nodule")


def test_table_of_the_real_side_is_ordered_and_complete():
    summary = load_summary()
    assert set(summary.index.get_level_values("region")) == {"nodule", "patch", "outline", "frame"}
    quantiles = summary[[name for name in summary.columns if name.startswith("q")]]
    assert (quantiles.diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert quantiles.notna().all().all()
    assert summary.loc["nodule", "n"].nunique() == 1
    # Gray levels of DDTI as described for its frames: dark, skewed, inside darker than the ring.
    assert 0.7 < summary.loc[("outline", "inside_over_ring"), "q50"] < 0.95


def test_stored_result_tells_how_it_was_found():
    result = load_result()
    held_out = result["held_out"]
    assert result["judge"]["rounds"] == 60
    assert held_out["n_images"] == 400
    for region in ("nodule", "patch"):
        assert 0.5 <= held_out[region]["auc"] <= 1
        assert held_out[region]["n_real"] > 100
    assert result["versions_tried"] >= 1
    assert result["network"]["patch_auc"] > 0.5


def ddti_folder(folder, cases):
    """Write simulated frames in the public form of DDTI."""
    for case in cases:
        frame = simulated_frame(case)
        shot = np.zeros((360, 560), dtype=np.uint8)
        height, width = frame.pixels.shape
        shot[20 : 20 + height, 60 : 60 + width] = frame.pixels
        Image.fromarray(shot).convert("RGB").save(folder / f"{case}_1.jpg", quality=95)
        rows, columns = np.nonzero(frame.masks[0])
        corners = [
            (columns.min(), rows.min()), (columns.max(), rows.min()),
            (columns.max(), rows.max()), (columns.min(), rows.max()),
        ]  # fmt: skip
        points = ", ".join(f'{{"x": {60 + x}, "y": {20 + y}}}' for x, y in corners)
        svg = f'[{{"points": [{points}], "annotation": {{}}, "regionType": "freehand"}}]'
        text = f"<case><number>{case}</number><mark><image>1</image><svg>{svg}</svg></mark></case>"
        (folder / f"{case}.xml").write_text(text)


def test_reading_finds_the_box_and_the_outline(tmp_path):
    ddti_folder(tmp_path, [1, 2, 3])
    (tmp_path / "2_1.jpg").write_bytes(b"no image")
    (tmp_path / "4.xml").write_text("<case><number>4</number><mark>")
    found = list(read_frames(tmp_path))
    assert [frame.case for frame in found] == [1, 3]
    frame = found[0]
    expected = simulated_frame(1).masks[0]
    rows, columns = np.nonzero(expected)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert frame.masks[0].sum() == pytest.approx(box, rel=0.05)
    assert frame.pixels.shape[1] == pytest.approx(expected.shape[1], abs=14)
    assert frame.seams.size == 0


def test_halves_part_the_patients():
    cases = range(1, 400)
    halves = [half_of(case) for case in cases]
    assert 0.4 < halves.count("tuning") / len(halves) < 0.6
    assert halves == [half_of(case) for case in cases]


def test_reading_keeps_to_the_asked_half(tmp_path):
    ddti_folder(tmp_path, [3, 4, 5])
    assert [frame.case for frame in read_frames(tmp_path, "tuning")] == [4, 5]
    assert [frame.case for frame in read_frames(tmp_path, "held_out")] == [3]


@pytest.mark.parametrize("call", [judge_realism, summarize_ddti])
def test_a_folder_without_ddti_is_refused(tmp_path, call):
    with pytest.raises(InputError, match=r"1\.xml"):
        call(tmp_path)


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="n_images is 3"):
        judge_realism(tmp_path, n_images=3)


def test_command_writes_both_files_or_none(tmp_path, monkeypatch):
    monkeypatch.setattr("lnm_kit.simulate.realism_network.EPOCHS", 1)
    app = typer.Typer()
    app.command()(realism_command)
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    ddti_folder(source, range(1, 16))
    arguments = [str(source), "--n-images", "20", "--n-jobs", "1", "--write", str(out)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "held_out, nodules: AUC" in result.output
    assert sorted(path.name for path in out.iterdir()) == ["ddti_summary.csv", "realism.toml"]
    with pytest.raises(InputError, match="no folder"):
        CliRunner().invoke(app, [*arguments[:-1], str(out / "no")], catch_exceptions=False)


def test_real_frames_are_read_whole(ddti_source):
    found = list(read_frames(ddti_source))
    assert len(found) == 466
    assert len({frame.case for frame in found}) == 380
    assert sum(len(frame.masks) for frame in found) == 647
    widths = np.array([frame.pixels.shape[1] for frame in found])
    assert np.median(widths) == pytest.approx(377, abs=10)


def test_region_features_have_no_gap(frames):
    for frame in frames:
        regions = region_features(frame)
        assert set(regions) == {"nodule", "patch", "outline", "frame"}
        for features in regions.values():
            assert np.isfinite(features.to_numpy(dtype=float)).all()
    assert isinstance(frames[0], RealFrame)
