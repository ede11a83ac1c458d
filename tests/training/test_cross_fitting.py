import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.training import (
    ImageBank,
    TrainingSettings,
    cross_fit,
    fit_network,
    open_fabric,
    predict,
)
from lnm_kit.training import cached_module as module
from lnm_kit.training.checkpoint import Checkpoint

SETTINGS = TrainingSettings(epochs=2, batch_size=8)


@pytest.fixture
def fabric():
    return open_fabric("cpu")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))


def small_bank(n=24, seed=0):
    """Two images a case, two cases a patient; the last four cases are outside of training."""
    images = np.random.default_rng(seed).integers(0, 255, (2 * n, 32, 32), dtype=np.uint8)
    cases = [f"c{i}" for i in range(n)]
    label = np.arange(n) // 2 % 2
    bank = ImageBank.of(images, np.repeat(label, 2), np.repeat(cases, 2).tolist())
    return bank, cases[:-4], [f"p{i // 2}" for i in range(n - 4)], cases[-4:]


def run(bank, training, patients, fabric, **changes):
    wanted = {"folds": 2, "weights": "none", "seed": 3} | changes
    return cross_fit("resnet10t", bank, training, patients, SETTINGS, fabric=fabric, **wanted)


def test_every_training_case_is_scored_by_the_network_that_did_not_see_its_patient(fabric):
    bank, training, patients, _ = small_bank()
    result = run(bank, training, patients, fabric)
    for fold, network in enumerate(result.networks):
        held_out = [
            case for case, at in zip(training, result.fold_of_case, strict=True) if at == fold
        ]
        expected = predict(network, bank, held_out, fabric=fabric)
        np.testing.assert_allclose(result.out_of_fold[result.fold_of_case == fold], expected)
    fold_of_patient = {}
    for patient, fold in zip(patients, result.fold_of_case, strict=True):
        assert fold_of_patient.setdefault(patient, fold) == fold


def test_new_cases_get_the_mean_of_the_networks(fabric):
    bank, training, patients, new = small_bank()
    result = run(bank, training, patients, fabric)
    each = [predict(network, bank, new, fabric=fabric) for network in result.networks]
    np.testing.assert_allclose(result.predict(bank, new, fabric=fabric), np.mean(each, axis=0))


def test_a_finished_fold_is_not_trained_again_and_scores_the_same(fabric, monkeypatch):
    bank, training, patients, _ = small_bank()
    first = run(bank, training, patients, fabric)
    monkeypatch.setattr(module, "fit", lambda *_, **__: pytest.fail("trained again"))
    second = run(bank, training, patients, fabric)
    np.testing.assert_array_equal(first.out_of_fold, second.out_of_fold)
    assert first.histories[0].epochs.equals(second.histories[0].epochs)


def test_an_interrupted_fold_goes_on_from_its_last_epoch(fabric, monkeypatch, tmp_path):
    bank, training, patients, _ = small_bank()
    whole = run(bank, training, patients, fabric)
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "other"))

    write = Checkpoint.write

    def write_and_die(self, path):
        write(self, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(bank, training, patients, fabric)
    assert len(list((tmp_path / "other" / "unfinished-training").iterdir())) == 1
    resumed = run(bank, training, patients, fabric)
    np.testing.assert_array_equal(whole.out_of_fold, resumed.out_of_fold)
    assert not list((tmp_path / "other" / "unfinished-training").iterdir())


@pytest.mark.parametrize("changes", [{"seed": 4}, {"folds": 3}])
def test_another_seed_or_number_of_folds_gives_other_scores(changes, fabric):
    bank, training, patients, _ = small_bank()
    first = run(bank, training, patients, fabric)
    assert (first.out_of_fold != run(bank, training, patients, fabric, **changes).out_of_fold).any()


def test_too_few_patients_of_a_class_are_refused(fabric):
    bank, training, patients, _ = small_bank()
    with pytest.raises(InputError, match="9 folds need at least 9 patients of each class"):
        run(bank, training, patients, fabric, folds=9)


def test_one_network_is_the_same_when_it_comes_from_the_cache(fabric, monkeypatch):
    bank, training, _, new = small_bank()
    wanted = {"weights": "none", "fabric": fabric, "seed": 3}
    first, history = fit_network("resnet10t", bank, training, new, SETTINGS, **wanted)
    monkeypatch.setattr(module, "fit", lambda *_, **__: pytest.fail("trained again"))
    second, again = fit_network("resnet10t", bank, training, new, SETTINGS, **wanted)
    assert history.epochs.equals(again.epochs)
    scores = [predict(network, bank, new, fabric=fabric) for network in (first, second)]
    np.testing.assert_array_equal(*scores)


def test_other_labels_train_another_network(fabric):
    bank, training, _, new = small_bank()
    wanted = {"weights": "none", "fabric": fabric, "seed": 3}
    first, _ = fit_network("resnet10t", bank, training, new, SETTINGS, **wanted)
    flipped = ImageBank.of(
        bank.images[:, 0].numpy(),
        1 - np.array([bank.cases[c] for c in bank.case_ids]),
        list(bank.case_ids),
    )
    second, _ = fit_network("resnet10t", flipped, training, new, SETTINGS, **wanted)
    scores = [predict(network, bank, new, fabric=fabric) for network in (first, second)]
    assert (scores[0] != scores[1]).any()
