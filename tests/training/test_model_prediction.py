"""Models of several modalities predict as their networks do, and refuse what they cannot read."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from lnm_kit.errors import InputError
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.triple import ModalityNetwork, pack_modalities
from lnm_kit.regions.contrast import crop_contrast, pair_contrast
from lnm_kit.regions.nodule_regions import RegionRecipe, nodule_regions
from lnm_kit.training import ImageBank, predict
from lnm_kit.training.model_file import read_model, write_model
from lnm_kit.training.model_forms import ContrastForm, PairForm
from lnm_kit.training.model_prediction import predict_cohort
from tests.modality_cohorts import write_contrast_cohort, write_pair_cohort

ALL = ["b_mode", "ceus", "us_lnm"]
RECIPE = RegionRecipe(us_px=48, ct_px=40, window_center_hu=40, window_width_hu=200)
PAIR = PairForm(
    fusion="diverse_granularity",
    n_reference=3,
    decoder_channels=8,
    ct_size_px=40,
    window_center_hu=40,
    window_width_hu=200,
)


def card_fields(cohort, form, **changes):
    info = cohort.info
    return {
        "name": "Several",
        "chapter": "ceus",
        "architecture": "resnet10t",
        "image_size_px": 48,
        "form": form,
        "each_network": "one for each seed",
        "threshold": 0.5,
        "threshold_from": "not chosen",
        "cohort": {
            "name": info.name,
            "digest": cohort.digest(),
            "endpoint": info.endpoint,
            "positive": info.positive,
            "simulated": info.simulated,
            "modalities": sorted(set(cohort.images.modality)),
        },
        "splits": [],
        "parameters": {},
        "metrics": [],
        "versions": {},
    } | changes


@pytest.fixture(scope="module")
def fabric():
    # bfloat16, which some processors have, rounds differently with the size of a batch
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def triple(seed, dropout=0.0):
    network = ModalityNetwork(
        ALL, backbone="resnet10t", weights="none", seed=seed, dropout=dropout, reading="balanced"
    )
    network.set_normalization(torch.linspace(0.2, 0.6, 7), torch.linspace(0.1, 0.3, 7))
    with torch.no_grad():
        network.head.weight[0, -1] = 0.1
        # what stands for a missing modality was learned, so it is not zero
        for number, learned in enumerate(network.learned.values()):
            learned.fill_(0.3 * (number + 1))
    return network


@pytest.fixture(scope="module")
def contrast(tmp_path_factory):
    """A complete cohort, and one model of two networks without and one with dropout."""
    root = tmp_path_factory.mktemp("contrast")
    cohort = write_contrast_cohort(root / "cohort")
    for name, dropout in (("plain", 0.0), ("robust", 0.3)):
        form = ContrastForm(modalities=ALL, dropout=dropout, margin=0.2)
        networks = [triple(seed, dropout) for seed in (1, 2)]
        write_model(root / name, networks, card_fields(cohort, form))
    return root, cohort


def expected(networks, cohort, fabric, *, hidden=()):
    """Mean over networks, asked directly; `hidden` are cases and the channels that they lack."""
    pairs = pair_contrast(cohort).images
    b_mode, ceus, _ = crop_contrast(cohort, pairs, size_px=48, margin=0.2)
    packed = pack_modalities(b_mode, ceus, [bool(value) for value in cohort.cases.us_lnm])
    cases = cohort.cases.index.tolist()
    for case, channels, gray in hidden:
        packed[cases.index(case), channels] = gray
    bank = ImageBank.of(packed, np.zeros(len(cases), int), cases)
    return np.mean([predict(each, bank, cases, fabric=fabric) for each in networks], axis=0)


def test_three_modalities_are_predicted_as_by_the_networks_in_the_notebook(contrast, fabric):
    root, cohort = contrast
    model = read_model(root / "plain")
    found = predict_cohort(model, cohort, fabric=fabric)
    assert list(found) == ["case_id", "probability"]
    assert found.case_id.tolist() == cohort.cases.index.tolist()
    wanted = expected([triple(1), triple(2)], cohort, fabric)
    np.testing.assert_allclose(found.probability, wanted, rtol=0, atol=1e-5)
    assert found.probability.nunique() == len(found)
    # the gray values of both images are on the card, those of the training cases
    assert model.card.networks[0].mean == pytest.approx(torch.linspace(0.2, 0.6, 7)[:6].tolist())


def test_a_model_without_dropout_refuses_what_is_incomplete_and_lists_it(
    contrast, tmp_path, fabric
):
    root, _ = contrast
    model = read_model(root / "plain")
    lacking = [("c1", "ceus"), ("c3", "ceus"), ("c3", "us_lnm"), ("c4", "us")]
    cohort = write_contrast_cohort(tmp_path / "some", without=lacking)
    with pytest.raises(InputError) as caught:
        predict_cohort(model, cohort, fabric=fabric)
    message = str(caught.value)
    assert "no B-mode image (modality us): c4\n" in message
    assert "no contrast-enhanced frame (modality ceus, no time_s): c1, c3\n" in message
    assert "no reading of the neck (column us_lnm of cases.csv): c3\n" in message
    assert "modality dropout" in message
    unread = write_contrast_cohort(tmp_path / "unread", reading=False)
    with pytest.raises(InputError, match=r"column us_lnm of cases.csv\): all 6 cases"):
        predict_cohort(model, unread, fabric=fabric)


def test_a_model_with_dropout_predicts_without_and_says_what_was_missing(
    contrast, tmp_path, fabric
):
    root, complete = contrast
    model = read_model(root / "robust")
    lacking = [("c1", "ceus"), ("c3", "us_lnm"), ("c4", "us"), ("c4", "us_lnm")]
    cohort = write_contrast_cohort(tmp_path / "some", without=lacking)
    found = predict_cohort(model, cohort, fabric=fabric)
    assert found.missing.tolist() == ["", "ceus", "", "us_lnm", "b_mode us_lnm", ""]
    hidden = [
        ("c1", slice(3, 6), 0),
        ("c3", slice(6, 7), 128),
        ("c4", slice(0, 3), 0),
        ("c4", slice(6, 7), 128),
    ]
    networks = [triple(1), triple(2)]
    wanted = expected(networks, complete, fabric, hidden=hidden)
    np.testing.assert_allclose(found.probability, wanted, rtol=0, atol=1e-5)
    moved = np.abs(found.probability - expected(networks, complete, fabric)) > 1e-3
    assert moved.tolist() == [False, True, False, True, True, False]

    everywhere = [(f"c{number}", "ceus") for number in range(6)]
    b_mode_only = write_contrast_cohort(tmp_path / "us", without=everywhere, reading=False)
    assert set(predict_cohort(model, b_mode_only, fabric=fabric).missing) == {"ceus us_lnm"}
    clip_only = b_mode_only.images.assign(modality="ceus", time_s=1.0)
    with pytest.raises(InputError, match="of all 6 cases nothing is known"):
        predict_cohort(model, replace(b_mode_only, images=clip_only), fabric=fabric)


def fusion(seed):
    network = FusionNetwork(
        "diverse_granularity",
        encoder="resnet10t",
        weights="none",
        seed=seed,
        n_reference=3,
        decoder_channels=8,
    )
    for branch in network.branches:
        branch.set_normalization(torch.tensor([0.3]), torch.tensor([0.2]))
    with torch.no_grad():
        network.classifier[2].weight.mul_(400)  # cases differ little in untrained features
    generator = torch.Generator().manual_seed(seed)
    network.set_reference(
        torch.rand(3, 1, 48, 48, generator=generator), torch.rand(3, 1, 40, 40, generator=generator)
    )
    return network


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A cohort with ultrasound and CT, and a model of two networks."""
    root = tmp_path_factory.mktemp("pairs")
    cohort = write_pair_cohort(root / "cohort")
    write_model(root / "fused", [fusion(1), fusion(2)], card_fields(cohort, PAIR))
    return root, cohort


def test_a_pair_is_that_of_the_largest_nodule_and_the_mean_over_networks(pairs, fabric):
    root, cohort = pairs
    found = predict_cohort(read_model(root / "fused"), cohort, fabric=fabric)
    regions = nodule_regions(cohort, RECIPE)
    last = [  # the second image of each nodule has the larger outline
        torch.from_numpy(regions[name].images[1::2, None]).float() / 255 for name in ("us", "ct")
    ]
    wanted = []
    for network in (fusion(1), fusion(2)):
        network.eval()
        with torch.no_grad():
            wanted.append(network.predict_logits(*last).sigmoid().numpy())
    assert found.case_id.tolist() == cohort.cases.index.tolist()
    np.testing.assert_allclose(found.probability, np.mean(wanted, axis=0), rtol=0, atol=1e-5)
    assert np.ptp(found.probability) > 1e-3


def test_the_reference_travels_in_the_file_so_that_company_does_not_matter(pairs, fabric):
    root, cohort = pairs
    model = read_model(root / "fused")
    for network, original in zip(model.networks, (fusion(1), fusion(2)), strict=True):
        assert network.fusion.get_buffer("has_reference")
        kept, own = network.fusion.reference, original.fusion.reference
        assert torch.equal(kept, own)
        assert kept.abs().max() > 0
    together = predict_cohort(model, cohort, fabric=fabric).set_index("case_id").probability
    for chosen in (["c2"], ["c2", "c4", "c5"]):
        few = replace(
            cohort,
            cases=cohort.cases.loc[chosen],
            images=cohort.images[cohort.images.case_id.isin(chosen)],
        )
        alone = predict_cohort(model, few, fabric=fabric).set_index("case_id").probability
        np.testing.assert_allclose(alone, together[chosen], rtol=0, atol=1e-5)


def test_a_nodule_without_one_modality_is_refused_by_name(pairs, fabric):
    root, cohort = pairs
    some = cohort.images[~((cohort.images.case_id == "c3") & (cohort.images.modality == "ct"))]
    with pytest.raises(InputError, match="1 case has no CT image: c3"):
        predict_cohort(read_model(root / "fused"), replace(cohort, images=some), fabric=fabric)


def test_a_model_and_a_cohort_of_other_modalities_are_told_apart(contrast, pairs, fabric):
    for model, cohort, what in (
        (contrast[0] / "robust", pairs[1], "modality ct; the model 'Several' was trained on ceus"),
        (pairs[0] / "fused", contrast[1], "modality ceus; the model 'Several' was trained on ct"),
    ):
        with pytest.raises(InputError, match=what):
            predict_cohort(read_model(model), cohort, fabric=fabric)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_reference": 4},
        {"decoder_channels": 16},
        {"fusion": "sum"},
    ],
)
def test_networks_that_are_not_what_the_card_says_are_not_kept(pairs, tmp_path, wrong):
    form = PAIR.model_copy(update=wrong)
    with pytest.raises(InputError, match="does not fit the network that the card describes"):
        write_model(tmp_path / "model", [fusion(1)], card_fields(pairs[1], form))
    assert list(tmp_path.iterdir()) == []


def test_the_card_for_people_names_what_a_case_needs(contrast, pairs):
    def read(folder):
        return (folder / "model_card.md").read_text()

    plain, robust = read(contrast[0] / "plain"), read(contrast[0] / "robust")
    assert r"reading of the neck (column us\_lnm)" in plain
    assert "A case that lacks one is refused" in plain
    assert "predicted without it (trained with modality dropout 0.3)" in robust
    fused = read(pairs[0] / "fused")
    assert "ultrasound of 48 px and CT of 40 px" in fused
    assert "window -60 to 140" in fused
    assert "attends to 3 training nodules" in fused
    assert "Not for clinical use" in fused
