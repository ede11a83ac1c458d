import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from lnm_kit.simulate.attenuation import describe_attenuation
from lnm_kit.simulate.body import build_body
from lnm_kit.simulate.neck_anatomy import lay_out
from lnm_kit.simulate.neck_ct import (
    PIXELS,
    RECONSTRUCTIONS,
    SPACING_MM,
    extent_mm,
    render_slice,
)
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

SOFT = RECONSTRUCTIONS["center_1"]


def nodule(seed=5, diameter=16.0, calcification="none", count=0, location="middle", side=1, **more):
    return Nodule(
        diameter, 1.1, 1.0, more.pop("contact", 0.0), -3.0, 1.6, "solid", calcification, count,
        location, seed, side=side, **more,
    )  # fmt: skip


def cut(one, offset_mm=0.0, spread=0.0, seed=1, kernel=SOFT):
    appearance = describe_attenuation(one, spread, one.seed)
    return render_slice(one, appearance, kernel, offset_mm=offset_mm, seed=seed)


def anatomy(one):
    patient = np.random.default_rng([0xC7A, one.seed])
    patient.uniform(*SPACING_MM)
    return lay_out(one, build_body(one), patient)


def size_mm(mask, spacing_mm):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.ptp(rows) * spacing_mm[0], np.ptp(columns) * spacing_mm[1]


@pytest.mark.parametrize("seed", range(6))
def test_tissues_have_their_hounsfield_units(seed):
    one = nodule(seed, side=1 if seed % 2 else -1)
    image, neck = cut(one), anatomy(one)
    middle = neck.trachea[0]
    appearance = describe_attenuation(one, 0.0, seed)
    # the trachea is the air that the picture's border does not touch; y of its middle is known
    hu = image.hu
    rows, columns = np.nonzero(hu < -900)
    inner = np.zeros_like(hu, dtype=bool)
    inner[rows, columns] = True
    column = int(np.median(columns[rows > rows.min() + 20]))
    below = np.flatnonzero(hu[:, column] > -200)
    front_of_neck = below[0]
    gas = np.flatnonzero(inner[front_of_neck + 5 :, column]) + front_of_neck + 5
    assert hu[gas[len(gas) // 2], column] == pytest.approx(-1000, abs=60)
    lumen_mm = len(gas) * image.spacing_mm[0]
    assert 9 < lumen_mm < 20
    assert abs(middle) < 4
    # bone is behind, brighter than anything else without calcification
    assert np.percentile(hu[-60:], 99) > 350
    assert hu.max() < 1200
    fat = hu[(hu > -130) & (hu < -60)]
    assert fat.size > 0.04 * hu.size
    assert np.median(fat) == pytest.approx(-95, abs=8)
    muscle = hu[(hu > 40) & (hu < 95)]
    assert muscle.size > 0.08 * hu.size
    inside = binary_erosion(image.mask, iterations=4)
    assert hu[inside].mean() == pytest.approx(appearance.nodule_hu, abs=12)
    assert 120 < appearance.gland_hu < 210
    assert appearance.vessel_hu > 170


@pytest.mark.parametrize("seed", range(5))
def test_the_gland_around_the_nodule_takes_up_more(seed):
    one = nodule(seed, diameter=9.0)
    image, appearance = cut(one), describe_attenuation(one, 0.0, seed)
    ring = binary_dilation(image.mask, iterations=5) & ~binary_dilation(image.mask, iterations=2)
    gland = image.hu[ring & (image.hu > 100) & (image.hu < 220)]
    assert gland.size > 0.4 * ring.sum()
    assert np.median(gland) == pytest.approx(appearance.gland_hu, abs=25)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("diameter", [7.0, 15.0, 32.0])
def test_ct_and_ultrasound_show_one_nodule(seed, diameter):
    one = nodule(seed, diameter)
    image = cut(one)
    frame = render(one, SCANNERS["center_1"], plane="transverse", seed=seed)
    ct, us = size_mm(image.mask, image.spacing_mm), size_mm(frame.mask, frame.spacing_mm)
    np.testing.assert_allclose(ct, us, atol=1.4)
    area = image.mask.sum() * np.prod(image.spacing_mm)
    assert area == pytest.approx(frame.mask.sum() * np.prod(frame.spacing_mm), rel=0.12)


def test_slices_of_a_nodule_shrink_to_its_ends_and_all_show_it():
    one = nodule(diameter=20.0)
    head, feet = extent_mm(one)
    areas = [
        cut(one, at).mask.sum() for at in (-0.97 * head, -0.6 * head, 0, 0.6 * feet, 0.97 * feet)
    ]
    assert min(areas) > 0
    assert areas[2] > areas[1] > areas[0]
    assert areas[2] > areas[3] > areas[4]


def test_the_volume_of_the_slices_is_that_of_the_body():
    one = nodule(diameter=18.0)
    head, feet = extent_mm(one)
    places = np.arange(-head, feet, 1.0)
    cuts = [cut(one, float(at)) for at in places]
    volume = sum(c.mask.sum() for c in cuts) * np.prod(cuts[0].spacing_mm) * 1.0
    ellipsoid = 4 / 3 * np.pi * np.prod(build_body(one).semi_axes_mm)
    assert volume == pytest.approx(ellipsoid, rel=0.15)


def test_calcifications_are_bright_in_ct():
    plain, macro = nodule(), nodule(calcification="macro", count=1)
    peak = {}
    for one in (plain, macro):
        z = build_body(one).points_mm
        image = cut(one, float(z[0, 2]) if len(z) else 0.0)
        peak[one.calcification] = image.hu[image.mask].max()
    assert peak["macro"] > peak["none"] + 250


def test_left_is_on_the_right():
    for side in (-1, 1):
        image = cut(nodule(side=side))
        columns = np.flatnonzero(image.mask.any(axis=0))
        assert np.sign(columns.mean() - PIXELS / 2) == side


def test_only_the_noise_differs_from_seed_to_seed():
    one = nodule()
    first, again, other = cut(one, seed=1), cut(one, seed=1), cut(one, seed=2)
    np.testing.assert_array_equal(first.hu, again.hu)
    np.testing.assert_array_equal(first.mask, other.mask)
    difference = first.hu.astype(float) - other.hu
    assert abs(difference.mean()) < 1
    assert difference.std() / np.sqrt(2) == pytest.approx(SOFT.noise_hu, rel=0.35)
    # noise of a kernel is grainy, not white and not blotchy
    lag = (difference[1:] * difference[:-1]).mean() / difference.var()
    far = (difference[8:] * difference[:-8]).mean() / difference.var()
    assert 0.2 < lag < 0.9
    assert abs(far) < 0.15


def test_the_external_kernel_is_sharper_and_noisier():
    one = nodule()
    spread = {}
    for center in ("center_1", "center_3"):
        kernel = RECONSTRUCTIONS[center]
        pair = [cut(one, seed=seed, kernel=kernel).hu.astype(float) for seed in (1, 2)]
        spread[center] = (pair[0] - pair[1]).std()
    assert spread["center_3"] > 1.2 * spread["center_1"]


def test_spread_darkens_fades_and_strands():
    drawn = [
        [describe_attenuation(nodule(seed), s, seed) for s in (-1.5, 1.5)] for seed in range(60)
    ]
    calm, spreading = zip(*drawn, strict=True)
    for name, sign in (("nodule_hu", -1), ("edge_mm", 1), ("stranding", 1)):
        change = [getattr(b, name) - getattr(a, name) for a, b in drawn]
        assert sign * np.mean(change) > 0
    assert np.mean([a.gland_hu for a in calm]) == np.mean([a.gland_hu for a in spreading])
    hu = [[cut(nodule(seed), spread=s).hu for s in (-2.0, 2.0)] for seed in range(3)]
    mask = [cut(nodule(seed)).mask for seed in range(3)]
    assert all(b[m].mean() < a[m].mean() - 15 for (a, b), m in zip(hu, mask, strict=True))


@pytest.mark.parametrize("location", ["isthmus", "upper", "lower"])
@pytest.mark.parametrize("diameter", [5.0, 45.0])
def test_every_nodule_lies_in_the_picture(location, diameter):
    for seed in range(3):
        image = cut(nodule(seed, diameter, location=location))
        border = np.concatenate(
            [image.mask[0], image.mask[-1], image.mask[:, 0], image.mask[:, -1]]
        )
        assert image.mask.any()
        assert not border.any()
