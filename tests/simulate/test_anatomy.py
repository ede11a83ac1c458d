from dataclasses import replace

import numpy as np
import pytest

from lnm_kit.simulate.anatomy import Tissue, plan
from lnm_kit.simulate.body import build_body
from lnm_kit.simulate.lesion import cut_body
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.speckle import shadow
from lnm_kit.simulate.ultrasound import build_scene

PLAIN = Nodule(12.0, 0.8, 0.8, 0.0, -3.0, 1.5, "solid", "none", 0, "middle", 11)


def layout_of(nodule, plane="transverse", seed=0):
    return plan(nodule, build_body(nodule), plane, np.random.default_rng(seed))


def scenes(nodule, plane="transverse", n=8):
    return [build_scene(replace(nodule, seed=seed), plane=plane, seed=seed) for seed in range(n)]


@pytest.mark.parametrize("plane", ["transverse", "longitudinal"])
@pytest.mark.parametrize("seed", range(4))
def test_layers_lie_in_their_anatomical_order(plane, seed):
    layout = layout_of(replace(PLAIN, seed=seed), plane, seed)
    assert (layout.skin > 0).all()
    assert (layout.fat > layout.skin).all()
    assert (layout.top > layout.fat).all()
    assert (layout.bottom >= layout.top).all()


@pytest.mark.parametrize("seed", range(6))
def test_planes_of_one_nodule_share_depth_and_spacing(seed):
    nodule = replace(PLAIN, seed=seed)
    one, other = layout_of(nodule, "transverse", 1), layout_of(nodule, "longitudinal", 2)
    assert one.center[0] == pytest.approx(other.center[0])
    assert one.spacing_mm == other.spacing_mm


def test_a_nodule_without_contact_lies_within_the_capsule():
    for seed in range(8):
        layout = layout_of(replace(PLAIN, seed=seed), seed=seed)
        rows, columns = np.nonzero(build_mask(layout, replace(PLAIN, seed=seed)))
        assert (rows >= layout.top[columns] - 1).mean() > 0.99
        assert (rows <= layout.bottom[columns] + 1).mean() > 0.99


def build_mask(layout, nodule):
    mask = np.zeros(layout.shape, dtype=bool)
    cut = cut_body(build_body(nodule), layout)
    mask[cut.window] = cut.depth_px > 0
    return mask


@pytest.mark.parametrize("contact", [0.15, 0.3, 0.45])
def test_contact_is_the_share_of_the_outline_beyond_the_capsule(contact):
    shares = []
    for seed in range(12):
        nodule = replace(PLAIN, seed=seed, contact=contact, irregularity=0.3)
        body, layout = build_body(nodule), layout_of(nodule, seed=seed)
        outline = body.outline("transverse") / layout.spacing_mm
        angle = 2 * np.pi * np.arange(outline.size) / outline.size
        rows = layout.center[0] + outline * np.sin(angle)
        across = layout.side * outline * np.cos(angle)
        columns = np.clip(layout.center[1] + across, 0, layout.shape[1] - 1).astype(int)
        outside = rows < layout.top[columns]
        if layout.contact_side > 0:
            outside = rows > layout.bottom[columns]
        shares.append(outside.mean())
    assert np.mean(shares) == pytest.approx(contact, abs=0.08)


def test_contact_interrupts_the_bright_capsule():
    def capsule_echo(contact):
        levels = []
        for seed in range(16):
            nodule = replace(PLAIN, seed=seed, contact=contact, echo_db=-8.0)
            layout = layout_of(nodule, seed=seed)
            if contact and layout.contact_side > 0:
                continue
            scene = build_scene(nodule, plane="transverse", seed=seed)
            column = int(layout.center[1])
            row = int(layout.top[column])
            levels.append(scene.echo_db[row - 2 : row + 3, column - 4 : column + 5].mean())
        return np.mean(levels)

    assert capsule_echo(0.35) < capsule_echo(0.0) - 3


def test_isthmus_nodule_lies_in_front_of_the_trachea():
    nodule = replace(PLAIN, location="isthmus")
    for scene in scenes(nodule):
        rows, columns = np.nonzero(scene.mask)
        middle = int(columns.mean())
        below = scene.tissue[rows.max() + 1 :, middle]
        assert (below == Tissue.TRACHEA).sum() > 20
        assert not (scene.tissue[: rows.min(), middle] == Tissue.TRACHEA).any()


def test_trachea_is_a_bright_arc_over_reverberation_and_shadow():
    found = 0
    for scene in scenes(replace(PLAIN, location="isthmus"), n=6):
        trachea = scene.tissue == Tissue.TRACHEA
        rows, columns = np.nonzero(trachea)
        column = int(np.median(columns))
        front = rows[columns == column].min()
        interface = scene.echo_db[front : front + 22, column - 5 : column + 6]
        assert interface.max() > 4  # the air behind the cartilage
        assert interface[2:6].mean() < interface.max() - 6  # the cartilage is dark
        hidden = shadow(scene.attenuation_db)[front + 60, column]
        assert hidden < -20  # nothing real is seen through air
        artifact = scene.artifact_db[front + 25 :, column - 5 : column + 6].mean(axis=1)
        assert artifact[:10].mean() > artifact[60:70].mean()  # repeats die away
        found += 1
    assert found == 6


def test_carotid_is_dark_with_a_brighter_wall_and_gain_behind():
    found = 0
    for scene in scenes(replace(PLAIN, seed=1), n=14):
        vessel = scene.tissue == Tissue.VESSEL
        if vessel.sum() < 800 or vessel[:, [0, -1]].any():
            continue
        columns = np.nonzero(vessel)[1]
        inside = scene.echo_db[vessel]
        assert np.median(inside) < -12
        column = int(np.median(columns))
        path = scene.attenuation_db[:, column][vessel[:, column]]
        assert path.mean() < -0.03
        found += 1
    assert found >= 3


def test_tissues_are_ordered_in_echo():
    levels = {tissue: [] for tissue in Tissue}
    for scene in scenes(PLAIN, n=12):
        for tissue in Tissue:
            here = scene.tissue == tissue
            if here.sum() > 300:
                levels[tissue].append(np.median(scene.echo_db[here]))
    mean = {tissue: np.mean(values) for tissue, values in levels.items() if values}
    assert mean[Tissue.VESSEL] < mean[Tissue.MUSCLE] < mean[Tissue.THYROID]
    assert mean[Tissue.DEEP] < mean[Tissue.THYROID]
    assert mean[Tissue.NODULE] < mean[Tissue.THYROID]


def test_every_scene_is_finite_and_labelled():
    for plane in ("transverse", "longitudinal"):
        for location in ("upper", "lower", "isthmus"):
            scene = build_scene(replace(PLAIN, location=location), plane=plane, seed=3)
            for layer in (scene.echo_db, scene.attenuation_db, scene.artifact_db):
                assert np.isfinite(layer).all()
                assert layer.dtype == np.float32
            assert (scene.tissue > 0).all()
            assert (scene.tissue[scene.mask] == Tissue.NODULE).all()
