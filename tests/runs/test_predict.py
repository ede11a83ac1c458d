"""A network leaves a chapter by one call of the recorder, and predicts the same outside of it."""

import json
import logging
import shutil

import numpy as np
import pandas as pd
import pytest

from lnm_kit.cohort import write_cohort
from lnm_kit.networks import build_network
from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.regions.views import crop_views
from lnm_kit.runs import Recorder
from lnm_kit.runs.schemas import CeusParameters, ClnmParameters
from lnm_kit.training import ImageBank, open_fabric, predict
from lnm_kit.training.model_file import read_model
from lnm_kit.training.model_forms import ContrastForm
from tests.modality_cohorts import write_contrast_cohort, write_pair_cohort

CHAPTER = """
import logging
import numpy as np
from lnm_kit.cohort import load_cohort
from lnm_kit.evaluation import auc, youden_threshold
from lnm_kit.regions import crop_regions
from lnm_kit.runs import Recorder, take_parameters
from lnm_kit.training import ImageBank, TrainingSettings, cross_fit, open_fabric

settings = take_parameters("llnm", globals())
run = Recorder.open("llnm", settings)
data = load_cohort(settings.cohort)
cases, images = data.cases, data.images
crops, _ = crop_regions(data, size_px=settings.image_size_px)
fabric = open_fabric("cpu")
owners = images.case_id.tolist()
bank = ImageBank.of(crops, cases.label.loc[owners].to_numpy(), owners, fabric.device)
training = cases.index[cases.split == "training"]
networks = cross_fit(
    settings.network, bank, training.tolist(), cases.patient_id.loc[training].tolist(),
    TrainingSettings(epochs=1, batch_size=8), folds=2, weights="none", fabric=fabric, seed=0,
)
label = cases.label.loc[training]
run.metric("Network", "training", "auc", auc(label, networks.out_of_fold))
run.predictions(
    "Network", "all", cases.index, networks.predict(bank, cases.index.tolist(), fabric=fabric),
    cases.label,
)
run.model(
    "Network",
    networks.networks,
    architecture=settings.network,
    image_size_px=settings.image_size_px,
    cohort=data,
    threshold=youden_threshold(label, networks.out_of_fold),
)
run.close()
"""


@pytest.fixture
def trained(lnm, toy_book, write_chapter, write_noise_cohort):
    """Return the run folder of a chapter that trained on a small cohort."""
    write_noise_cohort(toy_book / "secret_place")
    write_chapter(CHAPTER)
    words = ("-p", "profile=smoke", "-p", "cohort=secret_place", "-p", "image_size_px=32")
    code, out, err = lnm("run", "llnm", *words)
    assert code == 0, err
    assert "models  (trained networks" in out
    (folder,) = (toy_book / "runs" / "llnm").iterdir()
    return folder


def test_prediction_outside_is_that_of_the_notebook(lnm, trained, toy_book, caplog):
    caplog.set_level(logging.WARNING)
    model = trained / "models" / "network"
    code, out, err = lnm("predict", model, "secret_place", "--out", "mine.csv")
    assert (code, out) == (0, "")
    found = pd.read_csv(toy_book / "mine.csv", dtype={"case_id": str})
    assert list(found) == ["case_id", "probability"]
    inside = pd.read_parquet(trained / "predictions.parquet")
    assert found.case_id.tolist() == inside.case_id.tolist()
    np.testing.assert_allclose(found.probability, inside.probability, rtol=0, atol=1e-6)
    assert found.probability.nunique() > len(found) / 2
    assert "the networks have seen its training cases" in err
    assert "Not for clinical use" in err

    code, out, err = lnm("predict", model, "secret_place")
    assert (code, out) == (0, (toy_book / "mine.csv").read_text())

    card = read_model(model).card
    recorded = json.loads((trained / "metrics.json").read_text())
    assert [(row.split, row.value) for row in card.metrics] == [("training", recorded[0]["value"])]
    assert (card.chapter, card.image_size_px, len(card.networks)) == ("llnm", 32, 2)
    # where a user keeps files does not travel with the model
    for path in model.iterdir():
        assert b"secret_place" not in path.read_bytes()
        assert str(toy_book).encode() not in path.read_bytes()

    path = model / "network_1.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    for words, message in [
        ((model, "secret_place"), "changed or cut short"),
        ((model, "nowhere"), "changed or cut short"),
        ((path, "secret_place"), "is no model: it is a file"),
        (("nowhere", "secret_place"), "not there"),
        ((model, "secret_place", "--out", "no/such/folder.csv"), "there is no folder no/such"),
    ]:
        code, out, err = lnm("predict", *words)
        assert (code, out) == (2, "")
        assert message in err
        assert "Traceback" not in err


VIEWS = ["longitudinal", "transverse"]


def test_networks_of_two_views_get_them_as_channels_in_their_order(
    lnm, tmp_path, monkeypatch, write_noise_cohort
):
    one_view = write_noise_cohort(tmp_path / "one_view")
    data = with_two_views(one_view, tmp_path)
    networks = [
        build_network("resnet10t", in_channels=2, weights="none", seed=seed) for seed in range(2)
    ]
    monkeypatch.setenv("LNM_RUN_FOLDER", str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    run = Recorder.open("clnm", ClnmParameters(profile="smoke").resolved())
    run.model(
        "DL_F",
        networks,
        architecture="resnet10t",
        image_size_px=32,
        cohort=data,
        threshold=0.5,
        views=VIEWS,
    )
    monkeypatch.chdir(tmp_path)
    code, _, err = lnm("predict", "run/models/dl_f", "two_views", "--out", "mine.csv")
    assert code == 0, err
    found = pd.read_csv("mine.csv", dtype={"case_id": str})

    cases = data.cases.index.tolist()
    fabric = open_fabric("cpu")

    def expected(views):
        crops, _, _ = crop_views(data, views, size_px=32)
        bank = ImageBank.of(crops, np.zeros(len(cases), int), cases, fabric.device)
        return np.mean([predict(each, bank, cases, fabric=fabric) for each in networks], axis=0)

    np.testing.assert_allclose(found.probability, expected(VIEWS), rtol=0, atol=1e-6)
    assert np.abs(found.probability - expected(VIEWS[::-1])).max() > 1e-4

    code, out, err = lnm("predict", "run/models/dl_f", "one_view")
    assert (code, out) == (2, "")
    assert "longitudinal" in err
    assert "Traceback" not in err


def test_a_case_that_lacks_a_modality_is_refused_or_predicted_without_and_named(
    lnm, tmp_path, monkeypatch
):
    whole = write_contrast_cohort(tmp_path / "whole")
    write_contrast_cohort(tmp_path / "some", without=[("c1", "ceus"), ("c4", "us_lnm")])
    write_pair_cohort(tmp_path / "other", n_images=1)
    monkeypatch.setenv("LNM_RUN_FOLDER", str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    run = Recorder.open("ceus", CeusParameters(profile="smoke").resolved())
    modalities = ["b_mode", "ceus", "us_lnm"]
    for name, dropout in (("Plain", 0.0), ("Robust", 0.3)):
        network = ModalityNetwork(
            modalities, backbone="resnet10t", weights="none", seed=0, dropout=dropout
        )
        run.model(
            name,
            [network],
            architecture="resnet10t",
            image_size_px=32,
            cohort=whole,
            label=whole.cases.label.drop("c5"),
            form=ContrastForm(modalities=modalities, dropout=dropout, margin=0.2),
            each_network="one",
            threshold=0.5,
            threshold_from="not chosen",
        )
    card = read_model(tmp_path / "run" / "models" / "plain").card
    # who took no part is not counted
    assert {row.split: row.cases for row in card.splits} == {"training": 4, "test": 1}

    monkeypatch.chdir(tmp_path)
    code, out, err = lnm("predict", "run/models/plain", "some")
    assert (code, out) == (2, "")
    assert "no contrast-enhanced frame (modality ceus, no time_s): c1" in err
    assert "no reading of the neck (column us_lnm of cases.csv): c4" in err
    code, out, err = lnm("predict", "run/models/robust", "some")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "case_id,probability,missing"
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["", "ceus", "", "", "us_lnm", ""]
    assert "without what a case lacks: ceus (1 case), us_lnm (1 case)" in err
    code, out, err = lnm("predict", "run/models/robust", "whole")
    assert (code, "lacks" in err) == (0, False)
    code, out, err = lnm("predict", "run/models/robust", "other")
    assert (code, out) == (2, "")
    assert "images of modality ct" in err
    assert "Traceback" not in err


def with_two_views(cohort, folder):
    """Write the cohort again with a second image for each case: the first one of another case."""
    shutil.copytree(cohort.root, folder / "two_views")
    first = cohort.images
    second = first.assign(view="longitudinal").rename("{}_l".format)
    for name in ("path", "mask_path"):
        second[name] = np.roll(first[name], 1)
    images = pd.concat([first, second]).rename_axis("image_id")
    return write_cohort(folder / "two_views", cohort.info, cohort.cases, images)
