import threading

import numpy as np
import pytest
import torch
from joblib import parallel_config

from lnm_kit.cache import cache_root
from lnm_kit.errors import InputError
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.training import cached_multitask, open_fabric, simultaneous
from lnm_kit.training.multitask_cross_fit import cross_fit_nodules
from lnm_kit.training.multitask_fit import fit_multitask
from lnm_kit.training.multitask_prediction import predict_nodules
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import ModalityImages, NoduleBank, nodule_folds

FABRIC = open_fabric("cpu")
IDS = [f"n{i:02d}" for i in range(16)]
SETTINGS = MultitaskSettings(0, 1, batch_size=4, learning_rate=1e-3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))


def bank():
    images = np.random.default_rng(0).integers(0, 256, (16, 40, 40), dtype=np.uint8)
    targets = np.stack([images > 128, images > 200], axis=1)
    labels = {nodule: i % 2 for i, nodule in enumerate(IDS)}
    owners = {nodule: f"p{i // 2}" for i, nodule in enumerate(IDS)}
    return NoduleBank({"us": ModalityImages.of(images, targets, IDS, np.ones(16))}, labels, owners)


def plain(fold):
    return MultitaskNetwork("resnet10t", in_channels=1, weights="none", seed=fold, segments=False)


def cross_fit(given, build=plain):
    split = nodule_folds(given, folds=2, seed=0)
    return split, cross_fit_nodules(build, given, split, SETTINGS, fabric=FABRIC, seed=0)


def test_every_nodule_is_scored_by_the_network_that_did_not_see_it():
    given = bank()
    split, fitted = cross_fit(given)
    assert fitted.out_of_fold.index.tolist() == IDS
    for (training, held_out), network in zip(split, fitted.networks, strict=True):
        assert not set(training) & set(held_out)
        alone = predict_nodules(network, given, held_out, fabric=FABRIC)
        np.testing.assert_allclose(fitted.out_of_fold[held_out], alone)
    mean = fitted.predict(given, IDS[:3], fabric=FABRIC)
    each = [predict_nodules(network, given, IDS[:3], fabric=FABRIC) for network in fitted.networks]
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-6)


def test_a_finished_fold_is_not_trained_again(monkeypatch):
    given, trained = bank(), []

    def counted(network, *rest, **settings):
        trained.append(network)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return fit_multitask(network, *rest, **settings)

    monkeypatch.setattr(cached_multitask, "fit_multitask", counted)
    with pytest.raises(KeyboardInterrupt):
        cross_fit(given)
    _, again = cross_fit(given)
    assert len(trained) == 3
    _, third = cross_fit(given)
    assert len(trained) == 3
    assert third.out_of_fold.equals(again.out_of_fold)


def test_folds_that_are_trained_side_by_side_are_the_same_and_trained_once(monkeypatch):
    given, trained = bank(), []
    split = nodule_folds(given, folds=2, seed=0)

    def counted(network, *rest, **settings):
        trained.append(threading.current_thread() is threading.main_thread())
        return fit_multitask(network, *rest, **settings)

    monkeypatch.setattr(cached_multitask, "fit_multitask", counted)
    monkeypatch.setattr(simultaneous, "WORTH_IT", 0)
    # processes take seconds to start; threads go the same way
    with parallel_config(backend="threading"):
        apart = cross_fit_nodules(plain, given, split, SETTINGS, fabric=FABRIC, seed=0, n_jobs=2)
    assert trained == [False, False]
    monkeypatch.setenv("LNM_CACHE", str(cache_root() / "another"))
    _, here = cross_fit(given)
    assert trained == [False, False, True, True]
    np.testing.assert_allclose(apart.out_of_fold, here.out_of_fold, atol=0.02)
    assert apart.out_of_fold.index.equals(here.out_of_fold.index)


def test_a_plain_network_learns_from_labels_alone_and_has_no_maps():
    _, fitted = cross_fit(bank())
    epochs = fitted.histories[0].epochs
    assert (epochs.segmentation_loss == 0).all()
    assert not [column for column in epochs if column.startswith("dice")]
    assert not list(fitted.networks[0].branch.decoders)
    fresh = plain(0).state_dict()
    moved = fitted.networks[0].state_dict()
    assert not torch.equal(fresh["classifier.0.weight"], moved["classifier.0.weight"])


def test_a_plain_network_cannot_be_trained_to_segment():
    given = bank()
    split = nodule_folds(given, folds=2, seed=0)
    with pytest.raises(InputError, match="the network has no decoders"):
        cross_fit_nodules(plain, given, split, MultitaskSettings(1, 1), fabric=FABRIC, seed=0)


def test_watching_fewer_nodules_changes_the_history_alone():
    given = bank()
    split = nodule_folds(given, folds=2, seed=0)
    every, few = (
        cross_fit_nodules(plain, given, split, SETTINGS, fabric=FABRIC, seed=0, watched=watched)
        for watched in (None, 1)
    )
    assert few.out_of_fold.equals(every.out_of_fold)
    areas = {history.epochs.validation_auc.iloc[-1] for history in few.histories}
    # one nodule of each class: right, wrong, or tied
    assert areas <= {0.0, 0.5, 1.0}
