import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.simulate.appearance import describe_case
from lnm_kit.simulate.nodule import describe_nodule
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

CLNM = {
    "tumor_size_cm": 0.8,
    "aspect_ratio": 1.2,
    "location": "middle",
    "ete": 0,
    "echogenicity": "hypo",
    "margin_unclear": 0,
    "shape_irregular": 0,
    "calcification": "none",
    "capsular_contact": 0,
    "discontinuous_capsule": 0,
}


def test_rows_in_the_words_of_llnm_are_described_as_before():
    cases, truth = simulate_population("llnm", seed=3, signal=1.0, size=0.05)
    latent = truth["aggressiveness"].to_numpy()
    for number, row in enumerate(cases.to_dict("records")):
        assert describe_case(row, latent[number], number) == describe_nodule(
            row, latent[number], number
        )


def test_the_aspect_ratio_is_the_aspect():
    assert describe_case({**CLNM, "aspect_ratio": 0.74}, 2.0, 5).aspect == 0.74


def test_an_unclear_margin_is_softer():
    clear, unclear = (describe_case({**CLNM, "margin_unclear": i}, 0.0, 5) for i in (0, 1))
    assert unclear.softness > 2 * clear.softness


def test_shape_and_extension_roughen_the_outline():
    def irregularity(**change):
        return np.median([describe_case(CLNM | change, 0, s).irregularity for s in range(60)])

    assert irregularity(shape_irregular=1) > 1.7 * irregularity()
    assert irregularity(ete=1) > 1.5 * irregularity()


def test_the_capsule_is_touched_interrupted_and_left():
    columns = ("capsular_contact", "discontinuous_capsule", "ete")
    contacts = []
    for steps in range(4):
        case = CLNM | {name: int(number < steps) for number, name in enumerate(columns)}
        contacts.append([describe_case(case, 0.0, seed).contact for seed in range(60)])
    assert set(contacts[0]) == {0.0}
    medians = [np.median(contact) for contact in contacts]
    assert medians == sorted(medians)
    assert min(contacts[1]) > 0


@pytest.mark.parametrize(
    ("words", "drawn"),
    [("none", "none"), ("micro", "micro"), ("coarse", "macro"), ("mixed", "mixed")],
)
def test_calcifications_have_their_kind_and_fewer_in_small_nodules(words, drawn):
    small, large = (
        [
            describe_case(CLNM | {"calcification": words, "tumor_size_cm": size}, 0, seed)
            for seed in range(80)
        ]
        for size in (0.5, 1.0)
    )
    assert {nodule.calcification for nodule in small} == {drawn}
    few, many = (np.mean([n.calcification_count for n in group]) for group in (small, large))
    assert (few > 0) == (words != "none")
    if words in ("micro", "mixed"):
        assert few == pytest.approx(many / 4, rel=0.15)


def test_multifocal_and_invasive_nodules_of_lvlnm():
    case = {
        "tumor_size_cm": 1.0, "multifocal": 1, "capsular_invasion": 1, "location": "upper",
        "margin": "smooth", "echogenicity": "hypo", "taller_than_wide": 0, "calcification": "none",
    }  # fmt: skip
    nodule = describe_case(case, 0.0, 1)
    assert nodule.foci == 2
    assert nodule.contact > 0
    calm = describe_case(case | {"multifocal": 0, "capsular_invasion": 0}, 0.0, 1)
    assert (calm.foci, calm.contact) == (1, 0.0)


def test_what_cannot_be_worked_out_is_named():
    case = {name: value for name, value in CLNM.items() if name != "location"}
    with pytest.raises(InputError, match="location is missing"):
        describe_case(case | {"calcification": "shiny"}, 0.0, 1)
    with pytest.raises(InputError, match="shiny"):
        describe_case(CLNM | {"calcification": "shiny"}, 0.0, 1)


@pytest.mark.parametrize("seed", range(4))
def test_both_planes_show_the_same_nodule(seed):
    """Height, depth and pixel size are those of one body; width and texture are the plane's."""
    case = CLNM | {"calcification": "mixed", "shape_irregular": 1, "capsular_contact": 1}
    nodule = describe_case(case, 1.0, seed)
    heights, depths, spacings, extents = [], [], [], []
    for plane in ("longitudinal", "transverse"):
        frame = render(nodule, SCANNERS["center_1"], plane=plane, seed=seed)
        rows, columns = np.nonzero(frame.mask)
        spacing = frame.spacing_mm[0]
        spacings.append(spacing)
        heights.append((np.ptp(rows) + 1) * spacing)
        extents += [heights[-1], (np.ptp(columns) + 1) * spacing]
        depths.append(rows.mean() * spacing)
    assert spacings[0] == spacings[1]
    assert heights[0] == pytest.approx(heights[1], rel=0.12)
    assert depths[0] == pytest.approx(depths[1], abs=0.5)
    assert max(extents) == pytest.approx(nodule.diameter_mm, rel=0.2)
