import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.simulate.body import build_body
from lnm_kit.simulate.nodule import ECHO_DB, Nodule, describe_nodule

CASE = {
    "tumor_size_cm": 1.2,
    "margin": "smooth",
    "composition": "solid",
    "echogenicity": "hypo",
    "taller_than_wide": 0,
    "echogenic_foci": "micro",
    "location": "middle",
    "n_foci": 1,
}

cases = st.fixed_dictionaries(
    {
        "tumor_size_cm": st.floats(0.2, 6.0),
        "margin": st.sampled_from(("smooth", "irregular", "ete")),
        "composition": st.sampled_from(("cystic", "mixed", "solid")),
        "echogenicity": st.sampled_from(tuple(ECHO_DB)),
        "taller_than_wide": st.sampled_from((0, 1)),
        "echogenic_foci": st.sampled_from(("none", "macro", "peripheral", "micro")),
        "location": st.sampled_from(("upper", "middle", "lower", "isthmus")),
        "n_foci": st.sampled_from((1, 2, 3)),
    }
)


@settings(max_examples=150, deadline=None)
@given(cases, st.floats(-6, 6), st.integers(0, 2**32 - 1))
def test_phenotype_stays_in_its_clinical_class(case, z, seed):
    nodule = describe_nodule(case, z, seed)
    assert (nodule.aspect >= 1) == (case["taller_than_wide"] == 1)
    assert (nodule.contact > 0) == (case["margin"] == "ete")
    assert (nodule.calcification_count > 0) == (case["echogenic_foci"] != "none")
    assert nodule.diameter_mm == pytest.approx(10 * case["tumor_size_cm"])
    assert (nodule.composition, nodule.location) == (case["composition"], case["location"])
    assert nodule == describe_nodule(case, z, seed)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("echo_db", -1.68 * 1.4),
        ("log_irregularity", 0.315 * 1.4),
        ("log_heterogeneity", 0.135 * 1.4),
    ],
)
def test_latent_moves_the_phenotype_by_the_stated_slope(name, expected):
    def value(nodule):
        if name.startswith("log_"):
            return np.log(getattr(nodule, name.removeprefix("log_")))
        return getattr(nodule, name)

    low, high = describe_nodule(CASE, -0.5, 3), describe_nodule(CASE, 0.5, 3)
    assert value(high) - value(low) == pytest.approx(expected, rel=1e-6)


def test_latent_raises_aspect_and_number_of_microcalcifications():
    calm = [describe_nodule(CASE, -1, seed) for seed in range(200)]
    aggressive = [describe_nodule(CASE, 1, seed) for seed in range(200)]
    assert all(a.aspect > c.aspect for a, c in zip(aggressive, calm, strict=True))
    counts = [np.mean([n.calcification_count for n in group]) for group in (calm, aggressive)]
    assert counts[1] / counts[0] == pytest.approx(np.exp(2 * 0.3 * 1.4), rel=0.15)


def test_class_medians_are_ordered_and_overlap():
    def levels(word):
        case = {**CASE, "echogenicity": word}
        return np.array([describe_nodule(case, 0, seed).echo_db for seed in range(300)])

    marked, hypo, iso = (levels(word) for word in ("marked_hypo", "hypo", "hyper_iso"))
    assert np.median(marked) < np.median(hypo) < np.median(iso)
    assert np.mean(marked > np.median(hypo)) > 0.05


def test_invasive_margins_are_rougher_and_touch_the_capsule():
    smooth = [describe_nodule(CASE, 0, s).irregularity for s in range(100)]
    rough = [describe_nodule({**CASE, "margin": "irregular"}, 0, s).irregularity for s in range(99)]
    assert np.median(rough) > 1.7 * np.median(smooth)
    contact = [describe_nodule({**CASE, "margin": "ete"}, 0, s).contact for s in range(100)]
    assert 0.15 < np.mean(contact) < 0.35


def test_every_problem_of_a_row_is_named_at_once():
    bad = {**CASE, "margin": "spiky", "n_foci": 7, "tumor_size_cm": float("nan")}
    del bad["location"]
    with pytest.raises(InputError) as error:
        describe_nodule(bad, 0, 0)
    for word in ("margin", "spiky", "n_foci", "7", "tumor_size_cm", "location is missing"):
        assert word in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"diameter_mm": 0.0},
        {"aspect": float("nan")},
        {"contact": 1.2},
        {"composition": "wood"},
        {"calcification": "many"},
        {"location": "left"},
    ],
)
def test_an_impossible_nodule_is_refused(change):
    good = {
        "diameter_mm": 9.0, "aspect": 0.8, "irregularity": 1.0, "contact": 0.0, "echo_db": -3.0,
        "heterogeneity": 1.5, "composition": "solid", "calcification": "none",
        "calcification_count": 0, "location": "middle", "seed": 1,
    }  # fmt: skip
    Nodule(**good)
    with pytest.raises(InputError, match=next(iter(change))):
        Nodule(**{**good, **change})


@pytest.mark.parametrize("seed", range(5))
def test_two_planes_are_cuts_of_one_body(seed):
    body = build_body(describe_nodule({**CASE, "margin": "irregular"}, 1, seed))
    transverse, longitudinal = body.outline("transverse"), body.outline("longitudinal")
    # Both planes hold the anteroposterior axis: a quarter turn and three quarters.
    for at in (180, 540):
        assert transverse[at] == pytest.approx(longitudinal[at], rel=1e-9)
    assert not np.allclose(transverse, longitudinal, rtol=0.01)


def test_an_even_body_is_the_ellipsoid_asked_for():
    nodule = Nodule(20.0, 0.7, 1e-9, 0.0, -3.0, 1.5, "solid", "none", 0, "middle", 4)
    body = build_body(nodule)
    assert body.semi_axes_mm.max() == pytest.approx(10.0)
    assert body.semi_axes_mm[1] / body.semi_axes_mm[0] == pytest.approx(0.7)


def test_inner_field_agrees_where_the_planes_cross():
    body = build_body(describe_nodule(CASE, 0, 8))
    depth = np.linspace(-5, 5, 40)
    zero = np.zeros_like(depth)
    transverse = body.field("transverse", zero, depth, 2.0)
    assert np.allclose(transverse, body.field("longitudinal", zero, depth, 2.0))
    wide = body.field("transverse", *np.meshgrid(np.linspace(-40, 40, 90), depth), 1.0)
    assert wide.std() == pytest.approx(1.0, abs=0.15)


def test_calcifications_lie_inside_and_one_is_seen_in_both_planes():
    for seed in range(20):
        body = build_body(describe_nodule(CASE, 1, seed))
        scaled = np.linalg.norm(body.points_mm @ body.rotation / body.semi_axes_mm, axis=1)
        assert scaled.max() < 1.0
        for plane in ("transverse", "longitudinal"):
            assert body.seen_points(plane)[1][0] > 0.3
