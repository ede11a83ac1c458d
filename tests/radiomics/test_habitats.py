import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from lnm_kit.errors import InputError
from lnm_kit.radiomics.habitats import (
    LOCAL_FEATURES,
    HabitatModel,
    LocalRegion,
    fit_habitats,
    habitat_features,
    local_region,
)
from lnm_kit.regions.images import MaskedImage

GRID = (0.25, 0.25)


def disk(side: int = 60, radius: float = 20.0) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
    return np.hypot(rows, columns) <= radius


def two_halves(seed: int = 0, noise: float = 6.0) -> MaskedImage:
    """A dark left and a bright right half, in a nodule that is a disk."""
    gray = np.full((60, 60), 50.0)
    gray[:, 30:] = 170
    gray += np.random.default_rng(seed).normal(0, noise, gray.shape)
    return MaskedImage(np.clip(gray, 0, 255).astype(np.uint8), disk(), GRID)


def naive(image: MaskedImage, row: int, column: int, radius: int) -> list[float]:
    """Mean, SD and entropy of the nodule's pixels within the disk, one by one."""
    values = [
        image.gray[r, c] / 255
        for r in range(60)
        for c in range(60)
        if image.mask[r, c] and np.hypot(r - row, c - column) <= radius + 0.3
    ]
    bins = np.minimum((np.array(values) * 8).astype(int), 7)
    share = np.unique(bins, return_counts=True)[1] / len(values)
    return [np.mean(values), np.std(values), -(share * np.log2(share)).sum()]


def test_local_features_are_those_of_a_disk_counted_pixel_by_pixel():
    image = two_halves(noise=25.0)
    region = local_region(image)
    places = np.argwhere(image.mask)
    for number in (0, 1, 200, 611, len(places) - 1):
        expected = naive(image, *places[number], radius=3)
        assert region.values[number, :3] == pytest.approx(expected, abs=1e-4)


def test_nothing_outside_of_the_outline_enters():
    image = two_halves()
    other = image.gray.copy()
    other[~image.mask] = np.random.default_rng(1).integers(0, 255, (~image.mask).sum())
    assert np.allclose(
        local_region(image).values,
        local_region(MaskedImage(other, image.mask, GRID)).values,
        atol=1e-4,
    )


def test_a_constant_nodule_has_a_mean_and_nothing_else():
    values = local_region(MaskedImage(np.full((60, 60), 51, np.uint8), disk(), GRID)).values
    assert values[:, 0] == pytest.approx(0.2, abs=1e-6)
    assert (values[:, 1:] == 0).all()


def test_the_gradient_is_the_slope_of_a_ramp():
    gray = np.tile(np.arange(60, dtype=np.uint8) * 3, (60, 1))
    region = local_region(MaskedImage(gray, disk(), GRID))
    inner = disk(radius=14)[disk()]
    slope = LOCAL_FEATURES.index("gradient")
    assert region.values[inner, slope] == pytest.approx(3 / 255, rel=1e-3)


def test_a_finer_image_of_the_same_tissue_has_the_same_local_features():
    rng = np.random.default_rng(0)
    fine = gaussian_filter(rng.normal(size=(240, 240)), 6)
    fine = ((fine - fine.min()) / np.ptp(fine) * 255).astype(np.uint8)
    mask = disk(240, 80.0)
    one = local_region(MaskedImage(fine, mask, (0.0625, 0.0625)))
    two = local_region(MaskedImage(fine[::2, ::2], mask[::2, ::2], (0.125, 0.125)))
    assert one.pixel_mm == two.pixel_mm == 0.25
    assert len(one.values) == pytest.approx(len(two.values), rel=0.02)
    assert one.values.mean(axis=0) == pytest.approx(two.values.mean(axis=0), rel=0.05)


def test_without_spacing_it_stays_in_pixels():
    image = two_halves()
    unknown = local_region(MaskedImage(image.gray, image.mask, None))
    assert unknown.pixel_mm is None
    assert np.allclose(unknown.values, local_region(image).values, atol=1e-5)


def test_a_nodule_at_the_edge_of_the_frame_is_measured():
    gray = np.random.default_rng(0).integers(0, 255, (20, 20)).astype(np.uint8)
    region = local_region(MaskedImage(gray, np.ones((20, 20), bool), GRID))
    assert np.isfinite(region.values).all()
    assert len(region.values) == 400


def test_two_tissues_are_found_and_ordered_from_dark_to_bright():
    regions = [local_region(two_halves(seed)) for seed in range(3)]
    model = fit_habitats(regions, seed=0)
    found = model.map_of(regions[0])
    assert found.shape == regions[0].mask.shape
    assert ((found > 0) == regions[0].mask).all()
    rows, columns = np.argwhere(regions[0].mask).T
    middle = columns.mean()
    assert (found[rows, columns][columns < middle - 6] == 1).mean() > 0.95
    assert (found[rows, columns][columns > middle + 6] == model.number).mean() > 0.95
    assert (np.diff(model.centers[:, 0]) > 0).all()
    assert model.criterion.chosen.sum() == 1
    best = model.criterion.silhouette.idxmax()
    assert model.criterion.number[best] == model.number


def test_a_nodule_that_was_not_fitted_changes_nothing():
    regions = [local_region(two_halves(seed)) for seed in range(4)]
    one, again = fit_habitats(regions[:3], seed=0), fit_habitats(regions[:3], seed=0)
    habitat_features(one, regions[3])
    assert (one.centers == again.centers).all()
    alone = one.map_of(regions[3])
    assert (alone == again.map_of(regions[3])).all()
    # standardizing by the nodule itself would make a darker copy look the same
    darker = LocalRegion(
        regions[3].gray, regions[3].mask, regions[3].values - [[0.3, 0, 0, 0]], 0.25
    )
    assert (one.map_of(darker) == 1).mean() > (alone == 1).mean()


def test_every_nodule_has_the_same_weight():
    dark = MaskedImage((two_halves().gray // 8).astype(np.uint8), disk(radius=8), GRID)
    small, large = local_region(dark), local_region(two_halves(1))
    assert len(large.values) > 5 * len(small.values)
    model = fit_habitats([small, large], pixels_per_region=150, seed=0)
    both = (small.values[:, 0].mean() + large.values[:, 0].mean()) / 2
    assert model.mean[0] == pytest.approx(both, abs=0.03)


def by_hand() -> tuple[HabitatModel, LocalRegion]:
    """A 2 x 4 nodule: two columns of habitat 1, two of habitat 2; habitat 3 is absent."""
    mask = np.zeros((4, 6), bool)
    mask[1:3, 1:5] = True
    means = np.array([0.1, 0.1, 0.5, 0.5] * 2)
    values = np.stack([means, *[np.zeros(8)] * 3], axis=1)
    gray = np.zeros((4, 6))
    gray[mask] = means
    centers = np.array([[0.1, 0, 0, 0], [0.5, 0, 0, 0], [0.9, 0, 0, 0]])
    model = HabitatModel(np.zeros(4), np.ones(4), centers, pd.DataFrame())
    return model, LocalRegion(gray.astype(np.float32), mask, values.astype(np.float32), 0.25)


def test_habitat_features_counted_by_hand():
    found = habitat_features(*by_hand())
    assert found[["share_1", "share_2", "share_3"]].tolist() == [0.5, 0.5, 0.0]
    # 10 pairs of neighbors: 4 within each habitat, 2 on their border
    assert found["border_1_2"] == pytest.approx(2 / 10)
    assert found["contiguity_1"] == pytest.approx(8 / 10)
    assert found["pieces_1"] == pytest.approx(100 / 8)
    assert found["gray_difference"] == pytest.approx(0.4)
    absent = ["share_3", "contiguity_3", "pieces_3", "depth_3", "border_1_3", "border_2_3"]
    assert (found[absent] == 0).all()
    assert np.isfinite(found).all()


def test_shares_sum_to_one_and_neighbors_are_shared_out():
    regions = [local_region(two_halves(seed, noise=30)) for seed in range(2)]
    model = fit_habitats(regions, numbers=[4], seed=0)
    for region in regions:
        found = habitat_features(model, region)
        assert found.filter(like="share_").sum() == pytest.approx(1.0)
        weighted = sum(found[f"share_{k}"] * found[f"depth_{k}"] for k in range(1, 5))
        assert weighted == pytest.approx(1.0)
        assert found.filter(like="border_").sum() < 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"radius_mm": 0.1}, "grid_mm <= radius_mm"), ({"grid_mm": 0.0}, "0 < grid_mm")],
)
def test_impossible_sizes_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        local_region(two_halves(), **settings)


def test_an_empty_mask_is_named():
    image = two_halves()
    with pytest.raises(InputError, match="mask is empty"):
        local_region(MaskedImage(image.gray, image.mask & False, GRID))


def test_what_cannot_be_clustered_is_named():
    constant = local_region(MaskedImage(np.full((60, 60), 51, np.uint8), disk(), GRID))
    with pytest.raises(InputError, match="fewer distinct local features"):
        fit_habitats([constant], seed=0)
    with pytest.raises(InputError, match="numbers of 2 or more"):
        fit_habitats([constant], numbers=[1, 2], seed=0)
    with pytest.raises(InputError, match="0 regions"):
        fit_habitats([], seed=0)
