"""Models as folders: what is written is read back, and nothing else is."""

import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from lnm_kit.cohort import CohortInfo, write_cohort
from lnm_kit.errors import InputError
from lnm_kit.networks import build_network
from lnm_kit.regions.crop import crop_regions
from lnm_kit.regions.views import crop_views
from lnm_kit.training import ImageBank, open_fabric, predict
from lnm_kit.training.model_card import ModelCard
from lnm_kit.training.model_file import read_model, write_model
from lnm_kit.training.model_prediction import predict_cohort

HOSTILE = "<script>alert(1)</script> | [x](javascript:y)"
N_CASES = 6


def build_cohort(root, *, views=("transverse", "transverse")):
    """Write six cases of two images each: noise with a square outline."""
    info = CohortInfo(
        name="noise", endpoint="none", positive="odd", source="a test", licence="MIT",
        simulated=False,
    )  # fmt: skip
    root.mkdir()
    cases, images = [], []
    for number in range(N_CASES):
        split = "training" if number < 4 else "test"
        cases.append((f"c{number}", f"p{number}", "here", split, number % 2))
        for place, view in enumerate(views):
            name = f"{number}_{place}"
            gray = np.random.default_rng([number, place]).integers(0, 255, (40, 50), np.uint8)
            mask = np.zeros((40, 50), np.uint8)
            mask[10:30, 12 : 24 + number] = 255
            Image.fromarray(gray).save(root / f"{name}.png")
            Image.fromarray(mask).save(root / f"{name}_mask.png")
            images.append((f"i{name}", f"c{number}", "us", view, f"{name}.png", f"{name}_mask.png"))
    cases = pd.DataFrame(cases, columns=["case_id", "patient_id", "center", "split", "label"])
    names = ["image_id", "case_id", "modality", "view", "path", "mask_path"]
    images = pd.DataFrame(images, columns=names).assign(spacing_x_mm=0.2, spacing_y_mm=0.2)
    return write_cohort(root, info, cases, images)


def card_fields(cohort, *, in_channels=1, views=(), **changes):
    fields = {
        "name": "Network",
        "chapter": "llnm",
        "architecture": "resnet10t",
        "image_size_px": 32,
        "form": {
            "kind": "image",
            "in_channels": in_channels,
            "views": list(views),
            "margin": 0.15,
        },
        "each_network": "one for each fold",
        "threshold": 0.25,
        "threshold_from": "chosen on held-out folds",
        "cohort": {
            "name": cohort.info.name,
            "digest": cohort.digest(),
            "endpoint": cohort.info.endpoint,
            "positive": cohort.info.positive,
            "simulated": cohort.info.simulated,
            "modalities": ["us"],
        },
        "splits": [{"split": "training", "cases": 4, "positive": 2}],
        "parameters": {"seed": 3},
        "metrics": [
            {"split": "test", "metric": "auc", "value": 0.7, "lo": 0.5, "hi": 0.9, "method": "x"},
            {"split": "test", "metric": "ppv", "value": None, "method": "undefined: none called"},
        ],
        "versions": {"python": "3"},
    }
    return fields | changes


def networks(in_channels=1):
    made = []
    for seed in (1, 2):
        network = build_network("resnet10t", in_channels=in_channels, weights="none", seed=seed)
        network.set_normalization(
            torch.full((in_channels,), 0.4), torch.full((in_channels,), 0.1 * seed)
        )
        made.append(network)
    return made


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return build_cohort(tmp_path_factory.mktemp("models") / "cohort")


@pytest.fixture(scope="module")
def written(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "network"
    write_model(folder, networks(), card_fields(cohort))
    return folder


@pytest.fixture
def model_folder(written, tmp_path):
    """Return a copy of the model that a test may spoil."""
    return shutil.copytree(written, tmp_path / "network")


def test_networks_and_card_come_back_as_they_were(written, cohort):
    back = read_model(written)
    for network, original in zip(back.networks, networks(), strict=True):
        state = original.state_dict()
        assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    assert (back.card.threshold, back.card.cohort.digest) == (0.25, cohort.digest())
    assert back.card.networks[1].sd == pytest.approx([0.2])
    assert back.card.metrics[1].value is None
    assert ModelCard.from_toml(back.card.to_toml()) == back.card
    names = ["model.toml", "model_card.md", "network_1.safetensors", "network_2.safetensors"]
    assert sorted(path.name for path in written.iterdir()) == names
    assert [path.name for path in written.parent.iterdir()] == ["network"]
    assert len({path.stat().st_mode for path in written.iterdir()}) == 1


def test_probabilities_are_the_mean_of_the_networks_on_the_same_regions(written, cohort):
    fabric = open_fabric("cpu")
    found = predict_cohort(read_model(written), cohort, fabric=fabric)
    crops, _ = crop_regions(cohort, size_px=32)
    owners = cohort.images["case_id"].tolist()
    bank = ImageBank.of(crops, cohort.cases.label.loc[owners].to_numpy(), owners)
    cases = cohort.cases.index.tolist()
    each = [predict(network, bank, cases, fabric=fabric) for network in networks()]
    assert found.case_id.tolist() == cases
    assert np.array_equal(found.probability, np.stack(each).mean(0, dtype=np.float32))
    assert found.probability.nunique() == N_CASES


def test_views_are_channels_in_the_order_of_the_card(tmp_path):
    both = build_cohort(tmp_path / "cohort", views=("transverse", "longitudinal"))
    folder = tmp_path / "network"
    views = ["longitudinal", "transverse"]
    write_model(folder, networks(2), card_fields(both, in_channels=2, views=views))
    fabric = open_fabric("cpu")
    found = predict_cohort(read_model(folder), both, fabric=fabric)
    crops, _, _ = crop_views(both, views, size_px=32)
    cases = both.cases.index.tolist()
    bank = ImageBank.of(crops, both.cases.label.to_numpy(), cases)
    each = [predict(network, bank, cases, fabric=fabric) for network in networks(2)]
    assert np.array_equal(found.probability, np.stack(each).mean(0, dtype=np.float32))
    one_view = build_cohort(tmp_path / "other")
    with pytest.raises(InputError, match="no image shows the view 'longitudinal'"):
        predict_cohort(read_model(folder), one_view, fabric=fabric)


def test_another_modality_is_refused(written, tmp_path):
    other = build_cohort(tmp_path / "cohort")
    other.images["modality"] = "ct"
    with pytest.raises(InputError, match=r"modality ct; the model 'Network' was trained on us"):
        predict_cohort(read_model(written), other, fabric=open_fabric("cpu"))


def trap(marker):
    """Return a pickle that makes a file when it is loaded."""

    class Trap:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    return pickle.dumps(Trap())


def spoil_tail(folder):
    path = folder / "network_2.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def spoil_byte(folder):
    path = folder / "network_1.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def spoil_card(old, new):
    def spoil(folder):
        text = (folder / "model.toml").read_text()
        assert old in text
        (folder / "model.toml").write_text(text.replace(old, new, 1))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_tail, "network_2.safetensors is not the file that the card describes"),
        (spoil_byte, "network_1.safetensors is not the file that the card describes"),
        (lambda f: (f / "network_1.safetensors").unlink(), "network_1.safetensors is missing"),
        (lambda f: (f / "model.toml").unlink(), "a folder without a card"),
        (lambda f: (f / "model.toml").write_text("format ="), "cannot be read"),
        (lambda f: (f / "model.toml").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda f: (f / "model.toml").write_text("format = 2"), "is no card of a model: name"),
        (spoil_card("format = 2", "format = 1"), "format"),
        (spoil_card("threshold = 0.25", "threshold = 7.0"), "threshold"),
        (spoil_card('"resnet10t"', '"hf-hub:someone/model"'), "architecture"),
        (spoil_card('"resnet10t"', '"nosuchnet"'), "network is 'nosuchnet'"),
        (spoil_card('"resnet10t"', '"resnet18"'), "does not fit the network"),
        (spoil_card("in_channels = 1", "in_channels = 2"), "does not fit the network"),
    ],
)
def test_spoiled_model_is_refused_with_one_message(model_folder, spoil, message):
    spoil(model_folder)
    with pytest.raises(InputError, match=message) as caught:
        read_model(model_folder)
    assert len(str(caught.value).splitlines()) == 1


def test_pickle_is_refused_unrun_even_where_the_card_vouches_for_it(model_folder, tmp_path):
    marker = tmp_path / "ran"
    path = model_folder / "network_1.safetensors"
    card = read_model(model_folder).card
    path.write_bytes(trap(marker))
    with pytest.raises(InputError, match="not the file that the card describes"):
        read_model(model_folder)
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spoil_card(card.networks[0].sha256, digest)(model_folder)
    with pytest.raises(InputError, match="is not a safetensors file"):
        read_model(model_folder)
    (tmp_path / "model.pt").write_bytes(trap(marker))
    with pytest.raises(InputError, match=r"model\.pt is no model: it is a file.*never read"):
        read_model(tmp_path / "model.pt")
    assert not marker.exists()


def test_card_for_people_shows_hostile_names_as_text_and_says_what_it_is_not(cohort, tmp_path):
    fields = card_fields(cohort, parameters={"seed": 3, "note": HOSTILE})
    fields["cohort"]["name"] = HOSTILE
    card = write_model(tmp_path / "m", networks()[:1], fields)
    text = (tmp_path / "m" / "model_card.md").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert r"\[x\](javascript" in text
    for part in ("Not for clinical use", "Intended use", "0.700 (0.500 to 0.900)", "undefined"):
        assert part in text
    assert card.cohort.name == HOSTILE
    rows = [line for line in text.splitlines() if "script" in line]
    assert all(line.replace(r"\|", "").count("|") == 3 for line in rows)


def test_model_is_replaced_whole_and_a_wrong_card_leaves_the_old_one(model_folder, cohort):
    before = (model_folder / "model.toml").read_bytes()
    with pytest.raises(ValidationError):
        write_model(model_folder, networks(), card_fields(cohort, threshold=float("nan")))
    assert (model_folder / "model.toml").read_bytes() == before
    write_model(model_folder, networks()[:1], card_fields(cohort, threshold=0.5))
    assert len(read_model(model_folder).networks) == 1
    assert [path.name for path in model_folder.parent.iterdir()] == ["network"]
